"""Forecasters: trivial, linear and boosted ones, what they learn from, and their files."""
