"""Benches of clearing: auctions, books, networks, against references."""
