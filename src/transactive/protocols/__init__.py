"""Protocols that others speak to a community: a folder for each, a face beside the page."""
