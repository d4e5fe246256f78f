"""Rules that change from a slot on: what a block of the file may change, and the versions that follow."""
