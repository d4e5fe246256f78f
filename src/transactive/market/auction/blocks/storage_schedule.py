"""When one storage takes and gives: a flow through time, improved by its best exchange until none is left.

Counted in charged Wh, slot t changes the level by u[t]. An exchange charges a little more in slot s (or gives less) and
a little less in t (or gives more), which lifts the levels between them if s is earlier, and lowers them if t is. With
prices that rise with what is taken, a schedule that no exchange improves is optimal, for exchanges are all the simple
cycles of a path with one outside node (Ahuja, Magnanti, Orlin 1993, Network Flows, theorem 9.1). What is given is
rounded down to whole Wh, so the result is optimal but for less than one Wh a slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol

from transactive.core.units import PPM
from transactive.market.auction.blocks.order_kinds import Storage
from transactive.market.auction.blocks.stack import Stack

MOST_EXCHANGES = 2_000
"""Exchanges of one improvement: with so many the curves are finer than any gain."""


class Side(Protocol):
    """What a change of the charge costs in one slot: n¤ x a factor, for how many charged Wh it holds."""

    def more(self, u: int) -> tuple[int, int]:
        """Cost of charging one charged Wh more than u."""
        ...

    def less(self, u: int) -> tuple[int, int]:
        """Gain of charging one charged Wh less than u."""
        ...


@dataclass(frozen=True, slots=True)
class AtStack:
    """A slot whose plain orders answer, and give `other` Wh to others; factor PPM."""

    storage: Storage
    stack: Stack
    other: int

    def more(self, u: int) -> tuple[int, int]:
        """Cost of charging one charged Wh more."""
        storage, gives = self.storage, self.storage.given(max(-u, 0))
        price, holds = self.stack.above(self.other + taken_wh(storage, u))
        if u >= 0:
            return price * PPM, _least(storage.power_wh - u, holds)
        stays = None if holds is None else -u - storage.drawn(max(gives - holds, 0))
        return (price - storage.spread) * storage.efficiency_ppm, _least(-u, stays)

    def less(self, u: int) -> tuple[int, int]:
        """Gain of charging one charged Wh less."""
        storage, gives = self.storage, self.storage.given(max(-u, 0))
        price, holds = self.stack.below(self.other + taken_wh(storage, u))
        if u > 0:
            return price * PPM, _least(u, holds)
        stays = None if holds is None else storage.drawn(gives + holds) + u
        return (price - storage.spread) * storage.efficiency_ppm, _least(storage.drawn(storage.power_wh) + u, stays)


@dataclass(frozen=True, slots=True)
class AtPrice:
    """A slot in which the storage moves no price, and what it gives is not rounded; factor PPM x all its moves.

    At a price so far below zero that wasting energy would pay, taking and giving at once is not allowed; then the cost
    is replaced by the line between most taken and most given, which is nowhere above it: a bound stays one.
    """

    storage: Storage
    price: int

    def more(self, u: int) -> tuple[int, int]:
        """Cost of charging one charged Wh more."""
        taking, giving, line = self._slopes()
        if line is not None or u >= 0:
            return taking if line is None else line, self.storage.power_wh - u
        return giving, -u

    def less(self, u: int) -> tuple[int, int]:
        """Gain of charging one charged Wh less."""
        taking, giving, line = self._slopes()
        if line is not None or u <= 0:
            return giving if line is None else line, self.storage.drawn(self.storage.power_wh) + u
        return taking, u

    def cost(self, u: int) -> int:
        """Cost of a change of the charge."""
        taking, giving, line = self._slopes()
        if line is not None:
            return line * (u - self.storage.power_wh) + taking * self.storage.power_wh
        return (taking if u > 0 else giving) * u

    @property
    def factor(self) -> int:
        """What costs are multiplied with."""
        return PPM * (self.storage.power_wh + self.storage.drawn(self.storage.power_wh))

    def _slopes(self) -> tuple[int, int, int | None]:
        """Cost of a charged Wh taken, of one given, and of one on the line where that is needed."""
        most, drawn = self.storage.power_wh, self.storage.drawn(self.storage.power_wh)
        taking, giving = self.price * PPM, (self.price - self.storage.spread) * self.storage.efficiency_ppm
        line = taking * most + giving * drawn if giving > taking else None
        return taking * (most + drawn), giving * (most + drawn), line


def improve(storage: Storage, change: Sequence[int], sides: Sequence[Side]) -> list[int]:
    """Improve a schedule: change of the charge in each slot of its window [charged Wh]; again such a one."""
    stays = (0, storage.capacity_wh)  # what stays behind the last slot has no value
    u, last, most = [*change, 0], (0, 0), 0
    more = [*(side.more(part) for side, part in zip(sides, change, strict=True)), stays]
    less = [*(side.less(part) for side, part in zip(sides, change, strict=True)), stays]
    for _ in range(MOST_EXCHANGES):
        best = _best_exchange(storage.capacity_wh, u, more, less)
        if best is None:
            break
        into, out, energy = best
        if (out, into) == last and energy >= most:  # to and fro: what is left to gain is less than rounding
            break
        u[into] += energy
        u[out] -= energy
        last, most = (into, out), energy
        for slot in last:
            if slot < len(sides):
                more[slot], less[slot] = sides[slot].more(u[slot]), sides[slot].less(u[slot])
    return u[:-1]


def taken_wh(storage: Storage, change: int) -> int:
    """Wh that a change of the charge takes from its slot, negative where it gives."""
    return change if change >= 0 else -storage.given(-change)


def tidy(storage: Storage, change: Sequence[int]) -> list[int]:
    """Draw no more than giving takes, and so charge no more than fits."""
    level, tidied = 0, []
    for part in change:
        kept = min(part, storage.capacity_wh - level) if part >= 0 else -storage.drawn(storage.given(-part))
        tidied.append(kept)
        level += kept
    return tidied


def without_rest(change: Sequence[int]) -> list[int]:
    """Charge nothing that stays behind the last slot."""
    levels, kept = list(accumulate(change)), list(change)
    for slot in reversed(range(len(kept))):
        spare = min(levels[slot:])
        cut = min(max(kept[slot], 0), spare)
        kept[slot] -= cut
        levels[slot:] = [level - cut for level in levels[slot:]]
    return kept


def _best_exchange(
    capacity_wh: int, u: list[int], more: list[tuple[int, int]], less: list[tuple[int, int]]
) -> tuple[int, int, int] | None:
    """Slot to charge more in, slot to charge less in and charged Wh of the exchange that gains most a charged Wh.

    Walks through the slots with the best partner among the earlier ones: none from before the storage was full can be
    charged more in, none from before it was empty less.
    """
    levels = list(accumulate(u))
    cheapest = dearest = None
    found, most_gain = None, 0
    for slot in range(len(u)):
        if slot and levels[slot - 1] == capacity_wh:
            cheapest = None
        if slot and levels[slot - 1] == 0:
            dearest = None
        if cheapest is not None and less[slot][1] and less[slot][0] - more[cheapest][0] > most_gain:
            found, most_gain = (cheapest, slot), less[slot][0] - more[cheapest][0]
        if dearest is not None and more[slot][1] and less[dearest][0] - more[slot][0] > most_gain:
            found, most_gain = (slot, dearest), less[dearest][0] - more[slot][0]
        if more[slot][1] and (cheapest is None or more[slot][0] < more[cheapest][0]):
            cheapest = slot
        if less[slot][1] and (dearest is None or less[slot][0] > less[dearest][0]):
            dearest = slot
    if found is None:
        return None
    into, out = found
    slack = capacity_wh - max(levels[into:out]) if into < out else min(levels[out:into])
    return into, out, min(slack, more[into][1], less[out][1])


def _least(most: int, holds: int | None) -> int:
    """The smaller of the two; None is no bound."""
    return most if holds is None else min(most, holds)
