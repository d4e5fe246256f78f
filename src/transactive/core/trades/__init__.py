"""What was traded of a slot, and how it meets what meters counted."""
