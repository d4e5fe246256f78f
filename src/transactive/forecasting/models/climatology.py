"""Climatology: what this date, hour and kind of day brought in all years that are known.

What a forecast far ahead has to beat, and for a month ahead hard to beat without weather. A sample is a past day within
four weeks of the date in any year, the current one included; it counts the less the farther off it is. One of another
kind (working day, Saturday, Sunday or holiday) is moved by how the mean profiles of the kinds differ around the date,
as there are too few Sundays in a month for outer quantiles. In a first year, where too few days are near, the newest
ones are the samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.units import BoolArray, IntArray
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.clock import ClockSeries, on_clock, steps_on_clock
from transactive.forecasting.models.baselines import weighted_quantiles
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

AROUND = 28
"""Days before and after the date that are samples."""
PROFILES = 45
"""Days before and after the date over which the profiles of the kinds are taken."""
LEAST = 14
"""Samples below which the newest days are taken."""
KINDS = 3
YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Climatology:
    """Quantiles and mean of past days of the same season, each as one of the kind that is forecast."""

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
        lowest = lowest_of(history)
        values, mean = np.empty((horizon, days.shape[2], len(LEVELS))), np.empty((horizon, days.shape[2]))
        for date in np.unique(day).tolist():
            at = day == date
            kind = int(kinds_of(history.calendar, date, date + 1)[0])
            samples, weight = samples_of(days, kinds, distance(first, len(days), date), kind)
            values[at] = weighted_quantiles(samples, weight)[slot[at]]
            mean[at] = np.tensordot(weight, samples, axes=1)[slot[at]]
        return in_order(values, mean, lowest)


def distance(first: int, count: int, date: int) -> FloatArray:
    """Days between a date and each past day's date, whatever the year, (days,); `first` is the first past day."""
    off: FloatArray = np.abs((np.arange(first, first + count) - date + YEAR / 2) % YEAR - YEAR / 2)
    return off


def samples_of(days: FloatArray, kinds: IntArray, off: FloatArray, kind: int) -> tuple[FloatArray, FloatArray]:
    """Past days as if they were of a kind, (samples, per_day, members), and their weights, which add up to 1."""
    near = np.flatnonzero(off < AROUND)
    if len(near) < LEAST:
        near, weight = np.arange(len(days))[-AROUND:], np.ones(len(days))[-AROUND:]
    else:
        weight = 1 - off[near] / AROUND
    around = off <= PROFILES
    profiles = {k: _profile(days, around & (kinds == k)) for k in range(KINDS)}
    own = profiles[kind]
    samples = days[near]
    if own is not None:
        others = [profiles[k] for k in kinds[near].tolist()]
        samples = samples + np.stack([own - other if other is not None else np.zeros_like(own) for other in others])
    return samples, weight / weight.sum()


def _profile(days: FloatArray, chosen: BoolArray) -> FloatArray | None:
    """Mean of some days, (per_day, members); None where there are none."""
    return days[chosen].mean(axis=0) if chosen.any() else None


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
