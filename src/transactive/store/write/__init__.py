"""What is written into a state: stages of slots as they end, and what is kept beside them."""
