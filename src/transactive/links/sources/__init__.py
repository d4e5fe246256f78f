"""Meters as sources of messages, one module for each way of reading them."""
