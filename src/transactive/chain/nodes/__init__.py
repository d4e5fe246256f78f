"""Nodes: one client for every Ethereum-compatible chain, and how transactions reach it."""
