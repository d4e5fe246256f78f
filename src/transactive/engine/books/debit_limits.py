"""Limits of the members' debits, taken from the chain once a slot, at its first gate, and kept with the slot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transactive.core.community.limits import DebitLimits
from transactive.core.slots import MarketClock
from transactive.settlement.ledger import Ledger

if TYPE_CHECKING:
    from transactive.chain.ledgers.community_chain import LimitsReader
    from transactive.engine.books.state_keeper import NothingKept, StateKeeper


@dataclass(slots=True)
class LimitsAtGates:
    """What holds in slots that are not delivered: as it was read when the first session of the slot closed.

    A slot whose gate is behind it keeps its limits, whatever the chain says later: also when the run was interrupted.
    """

    chain: LimitsReader | None
    keeper: StateKeeper | NothingKept
    clock: MarketClock
    known: dict[int, DebitLimits] = field(default_factory=dict)

    def at_gate(self, slot: int) -> DebitLimits | None:
        """Limits that hold in a slot whose gate closes now; None in a run without a chain."""
        if self.chain is None:
            return None
        if slot not in self.known:
            kept = self.keeper.limits(slot)
            self.known[slot] = kept or self.chain.newest(self.clock.period(slot))
        return self.known[slot]

    def apply(self, slot: int, ledger: Ledger) -> None:
        """Let nobody be debited more in a slot's period than it allowed."""
        limits = self.at_gate(slot)
        if limits is not None:
            ledger.limit(slot, limits.most_n)

    def delivered(self, slot: int) -> None:
        """A slot is over."""
        self.known.pop(slot, None)
