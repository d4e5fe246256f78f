"""Words that all rooms share: units, slots, tables, the community, errors. No I/O, nothing of ours imported."""
