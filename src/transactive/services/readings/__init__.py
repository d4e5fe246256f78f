"""Readings that people bring to a community: looked at, then accepted or left."""
