"""Footprints: what consumption emitted, by location and by market, and how it is scored."""
