"""What people can do to the contracts, as a table: who does it, in which words, and with which call."""
