"""What feeds told, as rows of slots: a slot has a row once every column is told for it, and a row never changes.

Until then what was told last counts, so a forecast of the weather is as new as it can be. Arrivals in their order make
the rows, nothing else does: the same arrivals give the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from transactive.environment.feeds.decode import FeedSeries


@dataclass(slots=True)
class FedRows:
    """Rows in the making. end: of the last row [Unix s], None before the first; length: of a slot [s].

    values of rows: in the order of columns. known: what was told of slots without a row, by column and slot.
    """

    columns: Sequence[str]
    length: int
    end: int | None = None
    rows: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)
    known: dict[str, dict[int, int]] = field(default_factory=dict)

    def take(self, told: FeedSeries) -> int:
        """Take in what a feed told; how many rows it completed. Raises DataError where it changes within a slot."""
        values = told.by_slot(self.length)
        self.known.setdefault(told.column, {}).update(values)
        before = len(self.rows)
        slot = self._first() if self.end is None else self.end
        while slot is not None and (row := self._row(slot)) is not None:
            self.rows.append((slot, row))
            slot = self.end = slot + self.length
        return len(self.rows) - before

    def waiting(self) -> Mapping[str, int]:
        """How many slots each column is told for beyond the rows."""
        first = self.end or 0
        return {column: sum(slot >= first for slot in self.known.get(column, {})) for column in self.columns}

    def _first(self) -> int | None:
        """First slot that every column is told for."""
        slots = [set(self.known.get(column, {})) for column in self.columns]
        return min(set.intersection(*slots), default=None)

    def _row(self, slot: int) -> tuple[int, ...] | None:
        """Values of a slot, None where a column is not told for it."""
        found = [self.known.get(column, {}).get(slot) for column in self.columns]
        known = tuple(value for value in found if value is not None)
        return known if len(known) == len(found) else None
