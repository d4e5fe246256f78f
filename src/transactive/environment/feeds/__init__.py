"""Feeds: prices, carbon intensity and weather as their publishers tell them, with their age."""
