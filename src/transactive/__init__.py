"""TransActive: a local energy market that anyone can run."""

__version__ = "0.1.0"
