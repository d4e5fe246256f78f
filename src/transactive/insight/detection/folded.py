"""The days of a community as detection reads them: folded, filled, with what was to be expected of each meter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.insight.detection.learned.features import HISTORY
from transactive.insight.detection.learned.windows import filled
from transactive.insight.detection.meters import FloatArray, HourCalendar, MeterSeries, calendar_of


@dataclass(frozen=True, slots=True, eq=False)
class Folded:
    """Days of meters, (members, days, 24) [Wh], gaps filled; generation where it is metered.

    charge, discharge: of batteries where they are metered, whole days, (members, days).
    missing: part of each day's consumption that was filled, (members, days). excess: what the feeder gave beyond all
    meters, (days, 24), if it is metered. pv_w: (members,) [W], NaN where not known.
    """

    calendar: HourCalendar
    consumption: FloatArray
    missing: FloatArray
    generation: FloatArray | None = None
    charge: FloatArray | None = None
    discharge: FloatArray | None = None
    excess: FloatArray | None = None
    pv_w: FloatArray | None = None

    @property
    def members(self) -> int:
        """How many meters there are."""
        return len(self.consumption)

    @property
    def days(self) -> int:
        """How many whole days there are."""
        return int(self.consumption.shape[1])

    def expected(self, member: int, first: int, end: int) -> FloatArray:
        """What a meter would read on days from `first` on, (days, 24): its hours of four weeks before, or after.

        Moved as the neighbours moved. With no honest days on either side, the mean of its hours.
        """
        mine = self.consumption[member]
        before, after = slice(max(first - HISTORY, 0), first), slice(end, end + HISTORY)
        past = before if first >= HISTORY // 4 else after
        if len(mine[past]) == 0:
            past = slice(0, self.days)
        hours = mine[past].mean(axis=0)
        days: FloatArray = np.broadcast_to(hours, (end - first, len(hours))) * self._moved(member, past, first, end)
        return days

    def _moved(self, member: int, past: slice, first: int, end: int) -> float:
        others = np.delete(self.consumption, member, axis=0)
        if len(others) < 2:
            return 1.0
        ratio = (others[:, first:end].mean(axis=(1, 2)) + 5.0) / (others[:, past].mean(axis=(1, 2)) + 5.0)
        return float(np.median(ratio))


def fold(meters: MeterSeries) -> Folded:
    """Fold readings of any slot length into days."""
    hourly = meters.hourly()
    calendar = calendar_of(hourly.first, len(hourly.consumption), meters.zone)

    def days(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else filled(calendar.folded(values))[0]

    def totals(values: FloatArray | None) -> FloatArray | None:
        folded = days(values)
        return None if folded is None else folded.sum(axis=2)

    consumption, missing = filled(calendar.folded(hourly.consumption))
    excess = None
    if hourly.feeder is not None:
        net = hourly.consumption.copy()
        for flow, sign in ((hourly.generation, -1.0), (hourly.charge, 1.0), (hourly.discharge, -1.0)):
            if flow is not None:
                net += sign * flow
        excess = calendar.folded((hourly.feeder - net.sum(axis=1))[:, None])[0]
    return Folded(
        calendar, consumption, missing, days(hourly.generation), totals(hourly.charge), totals(hourly.discharge),
        excess, meters.pv_w,
    )  # fmt: skip
