"""Benches of forecasts, plans, advice, detection and agents."""
