"""Boosted trees for weeks ahead: what the season, the week and the level of the last weeks say, learnt over years.

A forecast for a month ahead knows no weather. What is left is the calendar, what the same weeks of past years brought,
and how far the last weeks lie from those; trees for each quantile learn how these go together, where climatology takes
one year's chance for a rule. The date stands as sine and cosine, so that winter is one season.

Source of the method as in `boosted`; of the features, Hong, Pinson, Fan, Global energy forecasting competition 2012,
Int. J. Forecasting 30(2), 2014, and what its entries had in common.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.clock import ClockSeries, on_clock, steps_on_clock
from transactive.forecasting.models.boosted import BoostedFile
from transactive.forecasting.models.features import known_ahead
from transactive.forecasting.models.training_rows import Rows, rows_on_clock
from transactive.forecasting.models.trees import Trees, library
from transactive.forecasting.series import FloatArray, History, Quantiles, in_order, lowest_of

YEARS = (364, 728)
"""Whole weeks before, so that the weekday is the same [days]."""
RECENT = 28
"""Days whose level counts."""
LEAST_DAYS = 364 + 3 * RECENT
APART = 3
"""Days between two issues that are learnt from."""
MOST_ROWS = 60_000
LEAVES, TREES = 15, 120
YEAR = 365.25
HARMONICS = 2
"""Sine and cosine pairs of the date."""


@dataclass(frozen=True, slots=True)
class BoostedYear:
    """The recipe, for members with more than a year of history."""

    trees: int = TREES
    rows: int = MOST_ROWS

    def train(self, history: History, horizon: int, random: np.random.Generator) -> BoostedYearModel:
        """Learn from issues of all years but the first. Raises DataError when less than 448 days are known."""
        library()  # says at once where it cannot be loaded
        series = on_clock(history)
        per_day, known = series.per_day, len(series.values)
        ends = np.arange(known - horizon, LEAST_DAYS * per_day - horizon, -APART * per_day)[::-1]
        ends = ends[ends >= (364 + RECENT) * per_day]
        if known < LEAST_DAYS * per_day or not len(ends):
            raise DataError(f"{len(history.values)} slots of history; a boosted year needs {LEAST_DAYS} days")
        share = min(self.rows / (len(ends) * horizon * series.values.shape[1]), 1.0)
        place = rows_on_clock(history, series)
        parts = []
        for end in ends.tolist():
            steps = np.flatnonzero(random.random(horizon) < share)
            if not len(steps):
                continue
            table, scale = year_features(history, series, end, steps, known_ahead(history, place[end + steps]))
            target = series.measured[end + steps]
            use = np.isfinite(target)
            weight = np.broadcast_to(scale, target.shape)
            parts.append((table[use].astype(np.float32), (target / scale)[use], weight[use]))
        table, target, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        rows = Rows(table, target, weight / weight.mean())
        return BoostedYearModel(
            Trees.grown(rows, LEAVES, self.trees, [int(random.integers(1 << 30))]), lowest_of(history)
        )

    def from_bytes(self, content: bytes) -> BoostedYearModel:
        """The model that `to_bytes` wrote."""
        stored = msgspec.json.decode(content, type=BoostedFile)
        return BoostedYearModel(Trees.read(stored.bags), stored.lowest if stored.lowest is not None else -np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class BoostedYearModel:
    """What was learnt."""

    trees: Trees
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots. Raises DataError when less than a year and a month are known."""
        series = on_clock(history)
        end = len(series.values)
        if end < (364 + RECENT) * series.per_day:
            raise DataError(f"{end} slots of history; a boosted year forecasts from {364 + RECENT} days")
        steps = steps_on_clock(history, horizon)
        ahead = known_ahead(history, len(history.values) + np.arange(horizon))
        table, scale = year_features(history, series, end, steps, ahead)
        said = self.trees.said(table.reshape(-1, table.shape[2])).reshape(horizon, len(scale), -1) * scale[:, None]
        return in_order(said[:, :, :-1], said[:, :, -1], self.lowest)

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        return msgspec.json.encode(BoostedFile(self.trees.texts(), self.lowest if np.isfinite(self.lowest) else None))


def year_features(
    history: History, series: ClockSeries, end: int, steps: IntArray, ahead: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Features of slots `steps` after index `end`, (steps, members, columns), and each member's scale, (members,).

    ahead: what is known in advance of these slots, (steps, columns).
    """
    values, per_day = series.values, series.per_day
    recent = values[end - RECENT * per_day : end]
    scale = np.abs(recent).mean(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    at = end + steps
    columns = _profiles(recent, per_day, steps)
    for year in YEARS:
        then = at - year * per_day
        if then.min() < 0:
            columns += [np.full((len(steps), values.shape[1]), np.nan)] * 3
            continue
        weeks = [values[np.clip(then + shift * 7 * per_day, 0, end - 1)] for shift in (-2, -1, 0, 1, 2)]
        before = values[max(end - (year + RECENT) * per_day, 0) : end - year * per_day].mean(axis=0)
        columns += [weeks[2], np.mean(weeks, axis=0), np.broadcast_to(before, weeks[2].shape)]
    shared = np.concatenate((_calendar(history, (series.first + at) * history.length, steps), ahead), axis=1)
    own = np.stack(columns, axis=-1) / scale[:, None]
    spread = np.broadcast_to(shared[:, None], (len(steps), values.shape[1], shared.shape[1]))
    return np.concatenate((own, spread), axis=2), scale


def _profiles(recent: FloatArray, per_day: int, steps: IntArray) -> list[FloatArray]:
    """What the last four weeks brought at the same time of day and of week, and the level of the last one."""
    days = recent.reshape(RECENT, per_day, -1)
    weeks = recent.reshape(RECENT // 7, 7 * per_day, -1)
    last = np.broadcast_to(recent[-7 * per_day :].mean(axis=0), (len(steps), recent.shape[1]))
    return [days.mean(axis=0)[steps % per_day], weeks.mean(axis=0)[steps % (7 * per_day)], last]


def _calendar(history: History, local: IntArray, steps: IntArray) -> FloatArray:
    """Distance, clock, weekday, whether a day off, and the date as waves, (steps, columns)."""
    weekday = history.calendar.weekday(local)
    off = (weekday >= 5) | history.calendar.is_holiday(local)
    angle = 2 * np.pi * (local / DAY % YEAR) / YEAR * np.arange(1, HARMONICS + 1)[:, None]
    return np.stack((steps, local % DAY, weekday, off, *np.sin(angle), *np.cos(angle)), axis=1).astype(np.float64)
