"""Anyone's orders: read, checked, cleared under a mechanism, and counted."""
