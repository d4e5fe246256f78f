"""`transactive openadr …`: `commands` has the options, `actions` does the work."""
