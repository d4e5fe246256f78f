"""Settlement: trades and meters become postings. Money sums to zero; a producer is paid for what the meter certifies."""
