"""Benches: every figure of the project, measured against a reference in the same run."""
