"""What a statement is held against, a module for each part of it."""
