"""Forecasts that others submit: sent in and shown by the API, and how they fare."""
