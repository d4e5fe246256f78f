"""What a member may do on its page: limits, pause, and orders by hand, with what came of it."""
