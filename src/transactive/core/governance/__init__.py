"""Governance: signed ballots, the numbers that members decide on, and what a proposal binds of its consequences."""
