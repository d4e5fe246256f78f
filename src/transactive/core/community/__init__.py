"""The community as data: members and their devices, network, limits, rules of certificates."""
