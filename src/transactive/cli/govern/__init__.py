"""`transactive govern`: `commands` and `duties` have the options, `actions` does the work."""
