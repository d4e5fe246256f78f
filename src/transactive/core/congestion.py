"""What lines carry, may carry and are expected to carry; what was asked of devices for their sake."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from transactive.core.tables import Table
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Congestion(Table):
    """How loaded the lines of coming slots may be, (slots, lines); a flow is positive from a line's start to its end.

    expected_wh: mean of the samples. low_wh, high_wh: ends of the interval that holds nine of ten. over_ppm: how
    likely the flow passes the limit towards the end, back_ppm: towards the start. beyond_wh: expected beyond either.
    """

    slots: IntArray
    expected_wh: IntArray
    low_wh: IntArray
    high_wh: IntArray
    over_ppm: IntArray
    back_ppm: IntArray
    beyond_wh: IntArray

    @property
    def passed_ppm(self) -> IntArray:
        """How likely the limit is passed either way [ppm]."""
        likely: IntArray = self.over_ppm + self.back_ppm
        return likely

    def at(self, place: int) -> Congestion:
        """The forecast of one of its slots."""
        rows = (getattr(self, name)[place : place + 1] for name in FORECAST)
        return Congestion(self.slots[place : place + 1], *rows)


FORECAST = ("expected_wh", "low_wh", "high_wh", "over_ppm", "back_ppm", "beyond_wh")


class Measure(IntEnum):
    """What is done for a line, in the order in which it is tried. Databases keep these numbers."""

    CALL = 1  # batteries planned at a price of the line
    MOVE = 2  # batteries moved beyond their plan, as the line would have passed its limit
    CURTAIL = 3  # PV held back
    OPEN = 4  # nothing was left that could be moved: the line passed its limit


@dataclass(frozen=True, slots=True, eq=False)
class Interventions(Table):
    """What was done for lines in a slot, (rows,): sums over the homes that it was asked of.

    kind: `Measure`. energy_wh: moved, held back or, of OPEN, beyond the limit. amount_n: what the network pays.
    """

    slot: int
    line: IntArray
    kind: IntArray
    homes: IntArray
    energy_wh: IntArray
    amount_n: IntArray

    def __len__(self) -> int:
        return len(self.line)

    def energy_of(self, kind: Measure) -> int:
        """Energy of one kind [Wh]."""
        return int(self.energy_wh[self.kind == kind].sum())

    def amount_of(self, kind: Measure) -> int:
        """What the network pays for one kind [n¤]."""
        return int(self.amount_n[self.kind == kind].sum())


@dataclass(frozen=True, slots=True, eq=False)
class LineLoads(Table):
    """The lines of a delivered slot, (lines,): flow as metered, what it would have been without the limit, and price.

    price: of a Wh over the line [µ¤/kWh] that batteries were planned with, below 0 backwards.
    """

    slot: int
    flow_wh: IntArray
    unlimited_wh: IntArray
    price: IntArray


def tabled(slot: int, rows: list[tuple[int, int, int, int, int]]) -> Interventions:
    """Interventions from rows of line, kind, homes, Wh and n¤."""
    columns = np.array(sorted(rows), np.int64).reshape(-1, 5).T
    return Interventions(slot, *columns)
