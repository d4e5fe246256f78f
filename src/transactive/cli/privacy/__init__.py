"""`transactive privacy …`: what is known of a person."""
