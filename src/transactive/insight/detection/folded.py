"""The days of a community as detection reads them: folded, filled, with what was to be expected of each meter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from transactive.insight.detection.learned.features import HISTORY
from transactive.insight.detection.learned.windows import filled
from transactive.insight.detection.meters import HOURS, FloatArray, HourCalendar, MeterSeries, calendar_of
from transactive.insight.detection.neighbours import medians_of_others

Days = tuple[int, int]
"""First day, and the one after the last."""


@dataclass(frozen=True, eq=False)
class Folded:
    """Days of meters, (members, days, 24) [Wh], gaps filled; generation where it is metered.

    charge, discharge: of batteries where they are metered, whole days, (members, days).
    missing: part of each day's consumption that was filled, (members, days). excess: what the feeder gave beyond all
    meters, (days, 24), if it is metered. pv_w: (members,) [W], NaN where not known. poor: part of each day's hours
    that nobody metered, (members, days), where qualities are known.
    """

    calendar: HourCalendar
    consumption: FloatArray
    missing: FloatArray
    generation: FloatArray | None = None
    charge: FloatArray | None = None
    discharge: FloatArray | None = None
    excess: FloatArray | None = None
    pv_w: FloatArray | None = None
    poor: FloatArray | None = None

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
        moved = (
            1.0
            if self.members < 3
            else float(self._moved((past.start, min(past.stop, self.days)), (first, end))[member])
        )
        days: FloatArray = np.broadcast_to(hours, (end - first, len(hours))) * moved
        return days

    def _moved(self, past: Days, now: Days) -> FloatArray:
        """What the median neighbour of each meter used on some days over what it used on others, (members,)."""
        if (past, now) not in self._moves:
            ratio = (self._mean_wh(now) + 5.0) / (self._mean_wh(past) + 5.0)
            self._moves[past, now] = medians_of_others(ratio[:, None])[:, 0]
        return self._moves[past, now]

    def _mean_wh(self, days: Days) -> FloatArray:
        """Mean hour of some days, (members,) [Wh]."""
        first, end = days
        means: FloatArray = (self._totals[:, end] - self._totals[:, first]) / ((end - first) * HOURS)
        return means

    @cached_property
    def _totals(self) -> FloatArray:
        """Energy of all days before each, (members, days + 1) [Wh]."""
        return np.cumsum(np.pad(self.consumption.sum(axis=2), ((0, 0), (1, 0))), axis=1)

    @cached_property
    def _moves(self) -> dict[tuple[Days, Days], FloatArray]:
        """What is known of neighbours already: many findings are of the same days."""
        return {}


def fold(meters: MeterSeries) -> Folded:
    """Fold readings of any slot length into days."""
    hourly = meters.hourly()
    calendar = calendar_of(hourly.first, len(hourly.consumption), meters.zone)

    def days(values: FloatArray | None) -> FloatArray | None:
        return None if values is None else filled(calendar.folded(values))[0]

    def totals(values: FloatArray | None) -> FloatArray | None:
        folded = days(values)
        return None if folded is None else folded.sum(axis=2)

    consumption, missing = filled(calendar.folded(meters.metered().hourly().consumption))
    poor = None
    if meters.poor is not None:
        series = replace(meters, consumption=meters.poor.astype(np.float64), poor=None).hourly()
        poor = (calendar.folded(series.consumption) > 0).mean(axis=2)
    excess = None
    if hourly.feeder is not None:
        net = hourly.consumption.copy()
        for flow, sign in ((hourly.generation, -1.0), (hourly.charge, 1.0), (hourly.discharge, -1.0)):
            if flow is not None:
                net += sign * flow
        excess = calendar.folded((hourly.feeder - net.sum(axis=1))[:, None])[0]
    return Folded(
        calendar, consumption, missing, days(hourly.generation), totals(hourly.charge), totals(hourly.discharge),
        excess, meters.pv_w, poor,
    )  # fmt: skip
