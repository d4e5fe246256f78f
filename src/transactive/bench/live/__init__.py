"""What a market costs that keeps real time: its boxes, and time that it misses."""
