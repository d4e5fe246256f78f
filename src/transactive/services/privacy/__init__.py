"""What is known of a person: the record of it, a copy for the person, and its erasure."""
