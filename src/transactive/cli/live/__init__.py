"""A market on the wall clock."""
