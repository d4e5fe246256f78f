"""Sums by local day that grow with a run: a page of a month or a year adds up days, not slots."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from transactive.core.units import IntArray
from transactive.store.read.history.figures import METERED, POSTED, Figures, slot_figures
from transactive.store.read.runs import Reader, Row, Run

NAMES = (*METERED, *POSTED, "claimed_wh")
TOGETHER = ("grid_import_wh", "grid_export_wh", "traded_wh")
MOST = ("most_import_wh", "most_export_wh")
"""The highest of any slot: what the community took from the grid, and gave to it."""


@dataclass(slots=True, eq=False)
class SlotSums:
    """Sums over some slots. members: `NAMES` by member, (names, members). community: `TOGETHER` and `MOST`.

    slots: how many delivered slots are in it; until: the end of the newest [Unix s], 0 without one.
    """

    members: IntArray
    community: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*TOGETHER, *MOST), 0))
    slots: int = 0

    @classmethod
    def empty(cls, members: int) -> SlotSums:
        """Nothing yet."""
        return cls(np.zeros((len(NAMES), members), np.int64))

    def add(self, figures: Figures) -> None:
        """Add what is known of each member in a slot."""
        for name, column in figures.items():
            self.members[NAMES.index(name)] += column

    def add_slot(self, row: Row) -> None:
        """Add what is known of a delivered slot as a whole."""
        net = row["import_wh"] - row["export_wh"]
        self._add({"grid_import_wh": max(net, 0), "grid_export_wh": max(-net, 0), "traded_wh": row["traded_wh"]})
        self._raise({"most_import_wh": net, "most_export_wh": -net})
        self.slots += 1

    def join(self, other: SlotSums) -> None:
        """Add other sums."""
        self.members += other.members
        self._add({name: other.community[name] for name in TOGETHER})
        self._raise({name: other.community[name] for name in MOST})
        self.slots += other.slots

    def of(self, member: int | None) -> dict[str, int]:
        """Sums of one member or of all, with what is known of the community; saved_n: the bill without − with."""
        values = self.members.sum(axis=1) if member is None else self.members[:, member]
        found = dict(zip(NAMES, values.tolist(), strict=True)) | self.community
        return found | {"saved_n": found["without_n"] - found["paid_n"] - found["advanced_n"], "slots": self.slots}

    def _add(self, values: Mapping[str, int]) -> None:
        for name, value in values.items():
            self.community[name] += value

    def _raise(self, values: Mapping[str, int]) -> None:
        for name, value in values.items():
            self.community[name] = max(self.community[name], value)


class DaySums:
    """Tallies of the local days of a run, kept while it goes on."""

    def __init__(self, members: int, day_of: Callable[[int], int]) -> None:
        """day_of: start of the day that a time is in [Unix s]."""
        self._members, self._day_of = members, day_of
        self._sums: dict[int, SlotSums] = {}

    def at(self, slot: int) -> SlotSums:
        """The sums of a slot's day, to add to."""
        return self._sums.setdefault(self._day_of(slot), SlotSums.empty(self._members))

    def before(self, day: int, name: str, member: int) -> int:
        """Sum of one figure of a member over the days that began before one."""
        row = NAMES.index(name)
        return sum(int(sums.members[row, member]) for start, sums in [*self._sums.items()] if start < day)

    def whole(self, day: int) -> SlotSums | None:
        """The sums of a day by its start, None where nothing was delivered."""
        return self._sums.get(day)


def sums_of(reader: Reader, run: Run, first: int, last: int) -> SlotSums:
    """Sums over the delivered slots from `first` to `last`, read anew."""
    sums = SlotSums.empty(len(run.community.members))
    for _, figures in slot_figures(reader, run, first, last):
        sums.add(figures)
    for row in reader.slots(first, last):
        if row["meters"] is not None:
            sums.add_slot(row)
    return sums
