"""Long lists: found by name, sorted, so many on a page."""
