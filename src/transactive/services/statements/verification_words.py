"""How a verification speaks: what held, or the first contradiction."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.errors import TransactiveError


class Contradiction(TransactiveError):
    """A statement says something that does not follow, or that the chain does not know."""

    code = "contradiction"
    exit_code = 1


CHECKS = {
    "totals": "Totals, scores and sources follow from the slots",
    "span": "Every slot of the span is there, once",
    "rules": "Each slot has the prices of its version of the rules",
    "money": "Each posting is Wh × price, and together they are what was committed",
    "meters": "The registers are those that were committed",
    "carbon": "Certificates, both footprints and levy follow, and are those that were committed",
    "corrections": "Corrected readings are signed, begin where the last ones ended, and are paid as they say",
    "credits": "Credits retired or issued have their receipts",
    "running totals": "Each slot’s part is what the period grew by",
    "proofs": "Both leaves of each slot lead to its roots, all sums on the way adding up",
    "chain": "The contract has these commitments, in this order, and no others",
    "signature": "The operator signed every character",
}
"""Checks in their order, each with what it says."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A check that held, in words."""

    name: str
    text: str


def hold(condition: bool, text: str) -> None:
    """Raise Contradiction unless something holds."""
    if not condition:
        raise Contradiction(text)
