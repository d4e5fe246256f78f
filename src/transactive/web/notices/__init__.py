"""Where a person chooses what it is told outside the page."""
