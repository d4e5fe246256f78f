"""Steps from one version of a state to the next, in order; each file names the one before it."""
