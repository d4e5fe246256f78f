"""A pool of forecasters: what each says, weighted level by level by how it did before."""
