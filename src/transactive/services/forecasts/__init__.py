"""Forecasts that others submit to a community: sent in, and how they fared."""
