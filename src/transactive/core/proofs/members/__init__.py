"""What a member signs that is no order: what its agent may do, what it asks for, how it shares."""
