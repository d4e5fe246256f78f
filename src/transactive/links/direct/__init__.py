"""Transports of direct trading: how a datagram gets to another node. Each may lose, double and reorder them."""
