"""Granular certificates: issued for metered Wh, moved, split, stored, claimed once."""
