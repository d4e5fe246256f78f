"""A member's statement issued from a state, and verified by anybody."""
