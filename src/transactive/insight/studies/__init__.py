"""Figures of studies: mechanisms, networks and agents beside each other."""
