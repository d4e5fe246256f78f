"""Governance on chain: founded, proposed, voted on, read."""
