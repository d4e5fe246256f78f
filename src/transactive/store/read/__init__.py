"""What pages, API and services read from a state: by run, slot, member, line and day."""
