"""`transactive insights`: `command` has the options, the other modules do the work."""
