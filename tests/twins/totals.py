"""What contracts must read of a settlement's totals, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from transactive.chain.commitments import Opening
from transactive.chain.twins.refusals import refusals
from transactive.core.proofs.leaves import Leaf, LeafMark

LANES, LANE_BITS, BLINDING, PART = 3, 64, 2**62, 100

refuse_unless = refusals("totals")


def lane_of(word: int, lane: int) -> int:
    """One counter of a word of sums."""
    return (word >> (LANE_BITS * lane)) % (1 << LANE_BITS)


@dataclass(slots=True)
class OutcomeTwin:
    """A known total [Wh], since when [Unix s], and what of it was shown to be substituted [Wh]."""

    total: int
    known_at: int
    substituted: int = 0


@dataclass(slots=True)
class TotalsTwin:
    """Totals by key. is_final: of a commitment's opening; member: place of an account, None for who has none."""

    slot_seconds: int
    per_period: int
    window: int
    is_final: Callable[[Opening], bool]
    member_of: Callable[[str], int | None]
    outcomes: dict[int, OutcomeTwin] = field(default_factory=dict)
    shown: set[tuple[int, int, int]] = field(default_factory=set)

    def member(self, account: str) -> int:
        """Place of a member."""
        place = self.member_of(account)
        refuse_unless(place is not None, "not a member")
        return place or 0

    def of_one_period(self, lane: int, first: int, last: int) -> bool:
        """Whether there can be such a total."""
        return lane < LANES and first <= last and first // self.per_period == last // self.per_period

    def settle(self, key: int, lane: int, first: int, last: int, before: Opening, opening: Opening, now: int) -> None:
        """Write a total down."""
        refuse_unless(key not in self.outcomes, "known")
        total = self._committed(lane, last, opening)
        total -= self._committed(lane, first - 1, before) if first % self.per_period else BLINDING
        self.outcomes[key] = OutcomeTwin(total, now)

    def object(
        self, key: int, lane: int, first: int, last: int, opening: Opening, leaf: Leaf | None, index: int, now: int
    ) -> None:
        """Count what a leaf says; None for an empty place. The proof is taken to be right."""
        refuse_unless(self.contestable(key, now), "not now")
        slot = opening.commitment.slot
        refuse_unless(first <= slot <= last, "other slot")
        refuse_unless(self.is_final(opening), "not final")
        refuse_unless(leaf is not None, "bad proof")
        refuse_unless(bool(leaf and leaf.marks & LeafMark.SUBSTITUTED), "metered")
        refuse_unless((key, slot, index) not in self.shown, "shown before")
        self.shown.add((key, slot, index))
        self.outcomes[key].substituted += lane_of(leaf.slot_energy if leaf else 0, lane)

    def contestable(self, key: int, now: int) -> bool:
        """Whether objections count."""
        found = self.outcomes.get(key)
        return found is not None and now < found.known_at + self.window

    def valid(self, key: int) -> bool:
        """Whether enough was metered."""
        return self.outcomes[key].substituted * PART <= self.outcomes[key].total

    def _committed(self, lane: int, slot: int, opening: Opening) -> int:
        refuse_unless(opening.commitment.slot == slot, "other slot")
        refuse_unless(self.is_final(opening), "not final")
        return lane_of(opening.commitment.energy, lane)
