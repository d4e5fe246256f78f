"""The box at a meter: reads it, signs what it counts, keeps that, and hands it over until the market has it on disk."""
