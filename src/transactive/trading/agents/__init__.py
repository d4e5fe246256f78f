"""Agents: who trades for a member. Each is a plug-in under one protocol."""
