"""Words of the pages explained, one sentence each."""
