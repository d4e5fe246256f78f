"""What a watch sees, whom it is for, and how it brings what it found: the same for a leaf and for a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.commitments import Opening
from transactive.chain.nodes.client import ChainClient
from transactive.core.errors import ContractRevert

DEMAND, ASK = "demand", "ask"
QUESTIONS = (DEMAND, ASK)
"""Calls that accuse nobody."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen of a slot (number), what was sent because of it, and what came of that."""

    slot: int
    seen: str
    sent: str | None = None
    outcome: str | None = None
    is_fraud: bool = False


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who watches. index: account whose leaves are opened; sender: brings what is found; own: the account's own key.

    Without a sender nothing is sent; without the own key nothing is demanded. patience: seconds from a commitment until
    its leaf is demanded. most_void: sessions of a period that may be void before that is told: an operator could choose
    them. counted: what the account's own meter signed of a slot (number): import and export [Wh], None where nobody
    metered that slot by itself.
    """

    index: int
    sender: LocalAccount | None
    own: LocalAccount | None
    patience: int
    most_void: int = 3
    counted: Callable[[int], tuple[int, int] | None] = lambda _: None


class Watch:
    """What a watch keeps between two looks: what it told, and the time."""

    def __init__(self, client: ChainClient, who: Watcher) -> None:
        self.client, self.who = client, who
        self._told: set[tuple[int, str, bytes]] = set()
        self._now = 0

    def _committed_at(self, shown: Opening) -> int:
        """Time of a commitment [Unix s]."""
        return self.client.time_of(shown.commitment.block)

    def _send(
        self, slot: int, seen: str, key: LocalAccount, contract: Contract, function: str, arguments: tuple[Any, ...]
    ) -> Sighting:
        """Send one call; a refusal is told, not raised: somebody else may have been faster."""
        try:
            self.client.send(key, contract, function, *arguments)
            block = self.client.block(max(self.client.head_timestamp + 1, self._now))
            done = f"done in block {block.number}"
        except ContractRevert as error:
            done = f"refused: {error}"
        return Sighting(slot, seen, function, done, is_fraud=function not in QUESTIONS)

    def _once(self, slot: int, seen: str, about: bytes, *, is_fraud: bool = False) -> Iterator[Sighting]:
        """Tell what was not told of this commitment before."""
        if (slot, seen, about) not in self._told:
            self._told.add((slot, seen, about))
            yield Sighting(slot, seen, is_fraud=is_fraud)
