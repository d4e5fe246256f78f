"""Contracts in plain Python: same rules, same order of checks and the same reasons; the oracles of their tests."""
