"""Statements for members and auditors: energy, money, certificates and carbon, with proofs."""
