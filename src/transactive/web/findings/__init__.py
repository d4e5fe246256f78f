"""The page of a finding: its evidence, for who may see it."""
