"""Accounts of a run in their contracts: they move to others, and what is on chain is made again from the database."""
