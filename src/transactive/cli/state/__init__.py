"""`transactive state`: whether a state folder is sound, and copies of it."""
