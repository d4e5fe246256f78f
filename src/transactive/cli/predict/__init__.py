"""`transactive predict`: `commands` has the options, `actions` does the work, `report` says how things stand."""
