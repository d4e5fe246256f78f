"""Anyone's recordings as what the rooms take: series to forecast, days for a battery, meters to look at."""
