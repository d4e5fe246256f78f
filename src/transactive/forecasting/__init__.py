"""Forecasting: readings become quantiles of what comes. Nothing later than the issue time is seen."""
