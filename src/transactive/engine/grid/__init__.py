"""The operator of a network in a run: lines watched, and kept within their limits."""
