"""What is on chain, for people: blocks, commitments, nettings, contracts, and the proof of a leaf."""
