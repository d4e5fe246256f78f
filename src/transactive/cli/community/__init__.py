"""`transactive init`, `check` and `config`: a community of one's own, as text files."""
