"""Shares in what the community will use or make: the page, and what the API says of it."""
