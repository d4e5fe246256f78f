"""Forecasts that others submit to a live market: through its journal, so that its replay hears the same."""
