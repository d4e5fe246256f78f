"""What a community could gain at most, how much of it a run reached, and where the rest went."""
