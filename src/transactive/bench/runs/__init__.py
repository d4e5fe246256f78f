"""Benches of whole runs: speed, scale, a year without anybody."""
