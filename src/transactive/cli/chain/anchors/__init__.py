"""`transactive chain anchor`: heads of embedded chains, noted on another chain."""
