"""Exports that are messages of a standard and no tables: each has a reader of its own."""
