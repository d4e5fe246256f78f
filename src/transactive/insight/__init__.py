"""Insight: everything above becomes what people read. Every number says where it came from."""
