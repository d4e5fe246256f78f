"""`transactive certificates registry …`: the register served to programs, and bundles handed over to others."""
