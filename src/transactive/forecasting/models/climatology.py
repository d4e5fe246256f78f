"""Climatology: what this date, hour and kind of day brought in all years that are known.

What a forecast far ahead has to beat, and for a month ahead hard to beat without weather. A sample is a past day of the
same kind (working day, Saturday, Sunday or holiday) within two weeks of the date in any year, the current one
included. Where these are too few, as in a first year, the newest days of the kind take their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.clock import ClockSeries, on_clock, steps_on_clock
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles

AROUND = 14
"""Days before and after the date that count as the same season."""
LEAST = 8
"""Samples below which the newest days of the kind are taken instead."""
NEWEST = 20
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Climatology:
    """Quantiles and mean of past days of the same season and kind."""

    around: int = AROUND

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Climatology:  # noqa: ARG002 - nothing to learn
        """There is nothing to learn."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots. Raises DataError when less than two days are known."""
        series = on_clock(history)
        days, first = whole_days(series, history.length)
        index = len(series.values) + series.first + steps_on_clock(history, horizon)
        day, slot = index // series.per_day, index % series.per_day
        kinds = kinds_of(history.calendar, first, first + len(days))
        values, mean = np.empty((horizon, days.shape[2], len(LEVELS))), np.empty((horizon, days.shape[2]))
        for date in np.unique(day).tolist():
            at = day == date
            kind = int(kinds_of(history.calendar, date, date + 1)[0])
            samples = days[sample_days(first, kinds, date, kind, self.around)]
            values[at] = np.moveaxis(np.quantile(samples, LEVELS, axis=0), 0, -1)[slot[at]]
            mean[at] = samples.mean(axis=0)[slot[at]]
        return Quantiles(values, mean)


def sample_days(first: int, kinds: IntArray, date: int, kind: int, around: int) -> IntArray:
    """Rows of the past days that a day of a date and kind is compared with; `first` is the date of row 0."""
    past = first + np.arange(len(kinds))
    off = np.abs((past - date + YEAR / 2) % YEAR - YEAR / 2)
    alike = kinds == kind
    found = np.flatnonzero((off <= around) & alike)
    if len(found) < LEAST:
        found = np.flatnonzero(alike)[-NEWEST:]
    return found if len(found) else np.arange(len(kinds))[-NEWEST:]


def whole_days(series: ClockSeries, length: int) -> tuple[FloatArray, int]:
    """Whole local days, (days, per_day, members), and the number of the first one since 1970. Raises DataError."""
    skip = -series.first % series.per_day
    count = (len(series.values) - skip) // series.per_day
    if count < 1:
        raise DataError("climatology needs a whole day of history, from midnight to midnight; give two days at least")
    rows = series.values[skip : skip + count * series.per_day]
    return rows.reshape(count, series.per_day, -1), (series.first + skip) * length // DAY


def kinds_of(calendar: Calendar, begin: int, end: int) -> IntArray:
    """Kind of each day: 0 a working day, 1 a Saturday, 2 a Sunday or holiday."""
    return _kinds(calendar, begin, end)


@lru_cache(maxsize=512)
def _kinds(calendar: Calendar, begin: int, end: int) -> IntArray:
    noon = np.arange(begin, end, dtype=np.int64) * DAY + DAY // 2
    weekday = calendar.weekday(noon)
    kinds: IntArray = np.where(calendar.is_holiday(noon) | (weekday == 6), 2, np.where(weekday == 5, 1, 0))
    return kinds
