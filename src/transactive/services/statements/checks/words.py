"""How a verification speaks: what it asks of the chain, what held, or the first contradiction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

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


class Witness(Protocol):
    """What a verification asks of the chain."""

    @property
    def chain_id(self) -> int:
        """EIP-155 number."""

    def operator(self) -> str:
        """Address of the settlement's operator."""

    def head(self, period: int) -> bytes:
        """Hash chain over the commitments of a period, zero without any."""

    def settled_period(self) -> int:
        """Newest period that is final."""

    def was_gateway(self, account: str, time: int) -> bool:
        """Whether an address was the gateway at a time [Unix s]."""

    def whole(self, address: str) -> Witness:
        """The same of the settlement of all groups, at an address."""

    def is_joined(self, whole: str, link_place: int, group_place: int) -> bool:
        """Whether the account at a place here is the one at a place of the whole (address), and joins just the two."""

    def states_substituted(self) -> bool:
        """Whether commitments state what of a period nobody has metered; those of the first release do not."""

    def head_of(self, links: Iterable[tuple[int, bytes, bytes, int, int]]) -> bytes:
        """Head of a period with these commitments."""
