"""What members decided on chain, as a source of the versions of a run's rules."""
