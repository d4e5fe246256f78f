"""The databases that a state may lie in, and what one does otherwise than another."""
