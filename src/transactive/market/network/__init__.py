"""Markets on a network: prices by location, lines with limits and losses."""
