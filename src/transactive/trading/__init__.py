"""Trading: forecasts and devices become orders. None in the past, none beyond the device or the escrow."""
