"""What is signed and what is hashed: Merkle-sum trees, leaves, typed data, orders, authorisations."""
