"""`transactive forecast`: `backtest` has the options, the other modules do the work."""
