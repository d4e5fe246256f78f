"""The chain of a community whose members settle in groups: a settlement for each, and one for the whole."""
