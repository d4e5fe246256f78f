"""`transactive s2 …`: `commands` has the options, `actions` does the work."""
