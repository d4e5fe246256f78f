"""Serving: the socket, bounded connections, a log that stays short, and a page in a process of its own."""
