"""What contracts must read of a settlement's totals, in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from transactive.chain.commitments import Opening
from transactive.chain.twins.refusals import refusals

LANES, LANE_BITS, BLINDING, PART = 3, 64, 2**62, 100

refuse_unless = refusals("totals")


def lane_of(word: int, lane: int) -> int:
    """One counter of a word of sums."""
    return (word >> (LANE_BITS * lane)) % (1 << LANE_BITS)


@dataclass(slots=True)
class OutcomeTwin:
    """A known total [Wh], since when [Unix s], and what of it nobody had metered [Wh]."""

    total: int
    known_at: int
    substituted: int


@dataclass(slots=True)
class TotalsTwin:
    """Totals by key. is_final: of a commitment's opening; member: place of an account, None for who has none."""

    slot_seconds: int
    per_period: int
    is_final: Callable[[Opening], bool]
    member_of: Callable[[str], int | None]
    outcomes: dict[int, OutcomeTwin] = field(default_factory=dict)

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
        total, substituted = self._committed(lane, last, opening)
        start, earlier = self._committed(lane, first - 1, before) if first % self.per_period else (BLINDING, 0)
        total -= start
        self.outcomes[key] = OutcomeTwin(total, now, min(max(substituted - earlier, 0), total))

    def valid(self, key: int) -> bool:
        """Whether enough was metered."""
        return self.outcomes[key].substituted * PART <= self.outcomes[key].total

    def _committed(self, lane: int, slot: int, opening: Opening) -> tuple[int, int]:
        refuse_unless(opening.commitment.slot == slot, "other slot")
        refuse_unless(self.is_final(opening), "not final")
        return lane_of(opening.commitment.energy, lane), opening.commitment.substituted_wh[lane > 0]
