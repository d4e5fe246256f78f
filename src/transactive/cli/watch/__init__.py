"""`transactive watch`: `command` has the options, `watching` does the work."""
