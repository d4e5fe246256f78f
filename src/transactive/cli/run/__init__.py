"""`transactive demo`, `run` and `serve`: recorded data through every room, with the page beside it."""
