"""What a member can learn from its own meter: each figure with its source, and nothing that data cannot carry."""
