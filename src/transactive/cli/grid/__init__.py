"""`transactive grid`: `commands` has the options, the other modules do the work."""
