"""The pages: one module each, and the files that print."""
