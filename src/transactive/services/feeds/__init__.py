"""Feeds taken into a community: into the journal first, and from it into the file of its environment."""
