"""Statements as papers for people: what they say, as a PDF, and those of all members at once."""
