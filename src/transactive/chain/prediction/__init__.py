"""Markets for forecasts on chain: questions about what a community will use, shares in their outcomes, stakes."""
