"""Rows to learn from: for each earlier time of issue the features of what followed it, and what it came to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.forecasting.clock import ClockSeries, on_clock
from transactive.forecasting.models.features import WINDOW, features, known_ahead
from transactive.forecasting.series import FloatArray, History

LEAST_DAYS = WINDOW + 7
"""History below which nothing is learnt [days]."""


FEW = 0.1
"""Share of the rows below which an issue is learnt from some members only, as features of all would be thrown away."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Features (rows, columns), target in units of the member's scale (rows,), and weight of mean 1 (rows,).

    A row weighs as much as its member's scale, so that the loss is that of the unscaled series.
    """

    table: FloatArray
    target: FloatArray
    weight: FloatArray


def rows_of(history: History, horizon: int, most: int, random: np.random.Generator) -> Rows:
    """Rows of every day of a history, at most about `most`, drawn at random; what was not measured is no row.

    Raises DataError when the history is shorter than 35 days.
    """
    series = on_clock(history)
    ends = issues(series, horizon)
    if len(series.values) < LEAST_DAYS * series.per_day or not len(ends):
        raise DataError(f"{len(history.values)} slots of history; learning needs {LEAST_DAYS} days")
    share = min(most / (len(ends) * horizon * history.values.shape[1]), 1.0)
    parts = list(_parts(history, series, ends, horizon, share, random))
    table, target, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    if not len(target):
        raise DataError(f"no member has the {LEAST_DAYS} days of history that learning needs")
    return Rows(table, target, weight / weight.mean())


def issues(series: ClockSeries, horizon: int) -> IntArray:
    """Ends of what was known at earlier times of issue: some days ago, or some times six hours for few slots."""
    apart = series.per_day if horizon > series.per_day // 4 else max(series.per_day // 4, 1)
    ends: IntArray = np.arange(len(series.values) - horizon, WINDOW * series.per_day - 1, -apart)[::-1]
    return ends


def with_ahead(table: FloatArray, ahead: FloatArray) -> FloatArray:
    """Features of slots and members with what is known in advance of the slots."""
    steps, members, _ = table.shape
    return np.concatenate((table, np.broadcast_to(ahead[:, None], (steps, members, ahead.shape[1]))), axis=2)


def rows_on_clock(history: History, series: ClockSeries) -> IntArray:
    """Row of the history at each place of the clock; a skipped hour has the row of the hour after it."""
    starts = history.first_slot + history.length * np.arange(len(history.values), dtype=np.int64)
    index = history.calendar.local(starts) // history.length - series.first
    return np.minimum(np.searchsorted(np.maximum.accumulate(index), np.arange(len(series.values))), len(index) - 1)


def _parts(
    history: History, series: ClockSeries, ends: IntArray, horizon: int, share: float, random: np.random.Generator
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Rows of each time of issue: features (rows, columns), target and weight (rows,)."""
    place, members = rows_on_clock(history, series), history.values.shape[1]
    some = max(round(members * share / FEW), 1) if share < FEW else members
    share = min(share * members / some, 1.0)
    for end in ends.tolist():
        chosen = np.arange(members) if some == members else np.sort(random.choice(members, some, replace=False))
        target = series.measured[end : end + horizon, chosen]
        known = features(history, series, end, np.arange(horizon), chosen)
        table = with_ahead(known.table, known_ahead(history, place[end : end + horizon]))
        old_enough = series.begins[chosen] <= end - WINDOW * series.per_day
        use = np.isfinite(target) & old_enough & (random.random(target.shape) < share)
        scale = np.broadcast_to(known.scale, target.shape)
        yield table[use].astype(np.float32), (target / known.scale)[use], scale[use]
