"""`transactive statement` and `verify`: one member's file, and whether it holds."""
