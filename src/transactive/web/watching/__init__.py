"""What a program that watches a market asks it: metrics for Prometheus."""
