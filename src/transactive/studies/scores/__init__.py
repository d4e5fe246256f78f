"""Anyone's recordings put to the test: forecasts, battery schedules and meters, each beside what it is held against."""
