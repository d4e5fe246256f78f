"""Meters and devices that count energy: what a profile says of one, and what its messages tell."""
