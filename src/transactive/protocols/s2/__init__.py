"""S2 (EN 50491-12-2): a home's energy manager that devices describe themselves to, and that plans them."""
