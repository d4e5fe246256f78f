"""Environment: what surrounds a community, from files: prices, the mix of the grid, weather."""
