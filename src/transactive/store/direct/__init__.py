"""What members of direct trading agreed on, kept beside the database."""
