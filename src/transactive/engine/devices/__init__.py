"""Devices in a run: batteries and loads that can wait, planned once a period, followed in real time."""
