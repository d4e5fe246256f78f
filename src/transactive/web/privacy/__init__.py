"""A person's data on the pages: who looked, what is kept, a copy."""
