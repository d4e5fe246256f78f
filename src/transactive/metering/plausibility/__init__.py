"""What a person would laugh at is never billed: a verdict on each reading before money depends on it."""
