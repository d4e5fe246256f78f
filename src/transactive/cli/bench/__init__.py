"""`transactive bench`: figures against references."""
