"""Settlement: trades and meters become postings. Money sums to zero; producers are paid for certified energy."""
