"""`transactive bill`: papers of a month, and what happens to them until they are paid."""
