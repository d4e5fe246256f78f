"""What a bill says: postings as items, each rounded once, and totals that follow from them."""
