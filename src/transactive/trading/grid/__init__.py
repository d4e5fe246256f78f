"""Flexibility for the lines of a network: called by price, or redispatched by limit."""
