"""Keys of the parties on chain, derived for demos or kept in encrypted files."""
