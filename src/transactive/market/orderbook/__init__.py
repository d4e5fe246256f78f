"""Continuous markets: a book with price-time priority, and fixed-price listings."""
