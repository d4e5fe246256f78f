"""What protocols keep in a state folder, each in a file of its own."""
