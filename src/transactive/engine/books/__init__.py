"""The books of a slot: what it said, what goes on chain, and the state between two slots."""
