"""A battery on pages and over the API: what it did, why, and what it plans."""
