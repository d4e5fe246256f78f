"""`transactive chain witness` and `chain freeze`."""
