"""Plans of devices in a run: when they are made, for whom, and from which forecasts."""
