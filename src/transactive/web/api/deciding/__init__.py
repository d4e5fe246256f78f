"""How members decide, as programs read and do it."""
