"""The face for notebooks and programs: tables in, tables out; each name stands in a module of its own."""
