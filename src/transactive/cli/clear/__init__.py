"""`transactive clear`: `actions` is where it begins; a module for each kind of column that an order file may have."""
