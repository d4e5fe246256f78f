"""Carbon credits: batches with serials, retirement, offsets, avoided emissions."""
