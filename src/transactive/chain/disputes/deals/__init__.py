"""Deals that two members signed with each other, before their judge."""
