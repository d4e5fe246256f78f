"""Bills of a state: papers by local month, e-invoices, journal, payments."""
