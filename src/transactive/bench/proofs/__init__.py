"""Benches of proofs and chain: gas, leaves, certificates."""
