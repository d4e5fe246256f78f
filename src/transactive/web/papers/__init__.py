"""Papers that people take from the pages: statements, those of all members at once, redemptions."""
