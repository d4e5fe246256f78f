"""State folders as a whole: whether they are as they were written, and copies of them."""
