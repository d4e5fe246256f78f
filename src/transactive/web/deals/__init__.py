"""Deals between members, on pages."""
