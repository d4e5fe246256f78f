"""What detection looks at: readings of meters by the hour, folded into days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from transactive.core.slots import DAY, HOUR
from transactive.core.units import BoolArray, IntArray

FloatArray = npt.NDArray[np.float64]
HOURS = 24


@dataclass(frozen=True, slots=True, eq=False)
class MeterSeries:
    """Readings of consecutive slots of `length` [s] from `first` [Unix s] on, (slots, members) Wh, NaN for a gap.

    generation, charge, discharge: like consumption, if they are metered. pv_w: installed power, (members,), NaN where
    it is not known. poor: readings that nobody metered, (slots, members): they say nothing of their meter. feeder: net
    energy that the transformer delivered to all of them, (slots,). zone: whose midnight begins a day; without one, days
    begin as the readings do.
    """

    first: int
    length: int
    consumption: FloatArray
    generation: FloatArray | None = None
    charge: FloatArray | None = None
    discharge: FloatArray | None = None
    pv_w: FloatArray | None = None
    feeder: FloatArray | None = None
    poor: BoolArray | None = None
    zone: str | None = None

    @property
    def members(self) -> int:
        """How many meters there are."""
        return int(self.consumption.shape[1])

    @property
    def end(self) -> int:
        """End of the last slot [Unix s]."""
        return self.first + len(self.consumption) * self.length

    def metered(self) -> MeterSeries:
        """The same readings with a gap for each that nobody metered."""
        if self.poor is None:
            return self
        return replace(self, consumption=np.where(self.poor, np.nan, self.consumption), poor=None)

    def hourly(self) -> MeterSeries:
        """The same readings in whole hours, of which one with a gap is a gap."""
        per_hour = HOUR // self.length
        skip = -(self.first // self.length) % per_hour
        hours = (len(self.consumption) - skip) // per_hour

        def summed(values: FloatArray) -> FloatArray:
            whole = values[skip : skip + hours * per_hour]
            sums: FloatArray = whole.reshape(hours, per_hour, *whole.shape[1:]).sum(axis=1)
            return sums

        columns = {name: getattr(self, name) for name in ("generation", "charge", "discharge", "feeder")}
        optional: dict[str, Any] = {name: None if of is None else summed(of) for name, of in columns.items()}
        return replace(
            self, first=self.first + skip * self.length, length=HOUR, consumption=summed(self.consumption), **optional
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class HourCalendar:
    """Which day and hour of the clock on the wall each hour of a series belongs to, (hours,), and when days begin.

    Only whole days count: an hour before the first midnight or after the last one has day −1.
    """

    day: IntArray
    hour: IntArray
    starts: IntArray

    @property
    def days(self) -> int:
        """Whole days."""
        return len(self.starts)

    def folded(self, values: FloatArray) -> FloatArray:
        """A series (hours, columns) as (columns, days, 24).

        An hour that the clock repeats is the mean of both, one that it leaves out the mean of its neighbours.
        """
        columns = values.shape[1]
        sums, counts = np.zeros((self.days, HOURS, columns)), np.zeros((self.days, HOURS, 1))
        inside = self.day >= 0
        np.add.at(sums, (self.day[inside], self.hour[inside]), values[inside])
        np.add.at(counts, (self.day[inside], self.hour[inside]), 1.0)
        missing = counts[:, :, 0] == 0
        folded = sums / np.maximum(counts, 1.0)
        for day, hour in zip(*np.nonzero(missing), strict=True):
            folded[day, hour] = (folded[day, max(hour - 1, 0)] + folded[day, min(hour + 1, HOURS - 1)]) / 2
        return np.ascontiguousarray(folded.transpose(2, 0, 1))


def calendar_of(first: int, hours: int, zone: str | None) -> HourCalendar:
    """Days of consecutive hours from `first` [Unix s] on, by the clock of a zone, or counted from the first hour."""
    starts = first + HOUR * np.arange(hours)
    if zone is None:
        whole = hours // HOURS
        day = np.arange(hours) // HOURS
        return HourCalendar(np.where(day < whole, day, -1), np.arange(hours) % HOURS, starts[::HOURS][:whole])
    wall = starts + _offsets(starts, ZoneInfo(zone))
    date, hour = wall // DAY, wall % DAY // HOUR
    opens = np.flatnonzero(np.diff(date)) + 1  # the first hour of each date but the first
    begins = opens[0] if len(opens) and hour[0] else 0
    ends = hours if hours and hour[-1] == HOURS - 1 else (int(opens[-1]) if len(opens) else 0)
    inside = (np.arange(hours) >= begins) & (np.arange(hours) < ends)
    day = np.where(inside, date - (date[begins] if hours else 0), -1)
    _, rows = np.unique(day[inside], return_index=True)
    return HourCalendar(day, hour, starts[inside][rows])


def _offsets(starts: IntArray, zone: ZoneInfo) -> IntArray:
    """What the wall clock is ahead of UTC at each time [s]; looked up once a day and hour of change."""
    from datetime import UTC, datetime

    def offset(moment: int) -> int:
        ahead = datetime.fromtimestamp(moment, UTC).astimezone(zone).utcoffset()
        return int(ahead.total_seconds()) if ahead is not None else 0

    marks = range(0, len(starts), HOURS)
    offsets = np.empty(len(starts), np.int64)
    for mark in marks:
        block = slice(mark, min(mark + HOURS, len(starts)))
        begin, end = offset(int(starts[block.start])), offset(int(starts[block.stop - 1]))
        offsets[block] = begin if begin == end else [offset(int(moment)) for moment in starts[block]]
    return offsets
