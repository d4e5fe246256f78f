"""How members decide, for whoever looks and acts without a command line."""
