"""A market on the wall clock: readings come in while it goes on."""
