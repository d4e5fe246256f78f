"""A day, a week, a month, a year or any days of a run, beside the period before, on every page that has a past."""
