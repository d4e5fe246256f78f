"""What members did by day: sums that grow with a run, and those of any stretch of time."""
