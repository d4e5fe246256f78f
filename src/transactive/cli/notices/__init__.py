"""`transactive notices …`: people are told outside the page."""
