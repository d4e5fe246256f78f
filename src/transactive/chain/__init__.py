"""Chain: postings become commitments and payments. A slot is committed once; the ledger equals the chain."""
