"""`transactive token …`: `commands` has the options, `actions` does the work."""
