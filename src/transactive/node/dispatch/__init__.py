"""The box moves devices: rules with an end from the market or from its own plan, kept through hours without a line."""
