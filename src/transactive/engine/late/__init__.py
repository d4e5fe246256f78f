"""Slots in which a meter was silent: what its reading is priced at, and how they close without one."""
