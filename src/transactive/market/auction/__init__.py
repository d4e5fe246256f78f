"""Call auctions: all orders of a slot cleared at once, at one price or each at its own."""
