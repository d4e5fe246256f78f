"""The box at a meter."""
