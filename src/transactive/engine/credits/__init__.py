"""Carbon credits in a run: the market for them, offsets, avoided emissions."""
