"""A global model: gradient-boosted trees, one for each quantile and one for the mean, learnt from all members at once.

Source of the method: LightGBM (Ke et al., NeurIPS 2017) with the pinball loss of Koenker and Bassett (Econometrica
46(1), 1978); one model for all series: Montero-Manso and Hyndman, Int. J. Forecasting 37(4), 2021. Each row counts
with its member's scale, so that the loss is that of the unscaled energy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import IntArray
from transactive.forecasting.clock import ClockSeries, on_clock, steps_on_clock
from transactive.forecasting.features import WINDOW, features, known_ahead
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

if TYPE_CHECKING:
    import lightgbm

LEAST_DAYS = WINDOW + 7
"""History below which nothing is learnt [days]."""
MOST_ROWS = 150_000
"""Rows that a model learns from; more are sampled."""
TREES = 120


@dataclass(frozen=True, slots=True)
class Boosted:
    """The recipe. leaves: of a tree at most; rows: to learn from at most; bags: models of other draws, averaged."""

    leaves: int = 31
    trees: int = TREES
    rows: int = MOST_ROWS
    bags: int = 2

    def train(self, history: History, horizon: int, random: np.random.Generator) -> BoostedModel:
        """Learn from every day of a history. Raises DataError when it is shorter than 35 days, or trees cannot grow."""
        lightgbm = library()
        table, target, weight = self._rows(history, horizon, random)
        options = _options(self.leaves, len(target))
        data = lightgbm.Dataset(table, target, weight=weight, params=options, free_raw_data=False)
        losses = [{"objective": "quantile", "alpha": level} for level in LEVELS] + [{"objective": "regression"}]
        bags = tuple(
            tuple(lightgbm.train(options | loss | {"seed": seed}, data, self.trees) for loss in losses)
            for seed in random.integers(1 << 30, size=self.bags).tolist()
        )
        return BoostedModel(bags, lowest_of(history))

    def _rows(
        self, history: History, horizon: int, random: np.random.Generator
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Features, scaled targets and weights of what followed each time of issue; what was not measured is no row."""
        series = on_clock(history)
        ends = issues(series, horizon)
        if len(series.values) < LEAST_DAYS * series.per_day or not len(ends):
            raise DataError(f"{len(history.values)} slots of history; the boosted model needs {LEAST_DAYS} days")
        share = min(self.rows / (len(ends) * horizon * history.values.shape[1]), 1.0)
        parts = list(_training(history, series, ends, horizon, share, random))
        table, target, weight = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        if not len(target):
            raise DataError(f"no member has the {LEAST_DAYS} days of history that the boosted model needs")
        return table, target, weight / weight.mean()


def shallow() -> Boosted:
    """The recipe for few or smooth series, where large trees learn the past by heart."""
    return Boosted(leaves=7, bags=1)


@dataclass(frozen=True, slots=True, eq=False)
class BoostedModel:
    """What was learnt: in each bag one set of trees a level, and one for the mean."""

    bags: tuple[tuple[lightgbm.Booster, ...], ...]
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots of all members at once."""
        recent = history.last(WINDOW + 2)
        series = on_clock(recent)
        steps = steps_on_clock(recent, horizon)
        known = features(recent, series, len(series.values), steps)
        table = with_ahead(known.table, known_ahead(recent, len(recent.values) + np.arange(horizon)))
        flat = table.reshape(-1, table.shape[2])
        said = [[booster.predict(flat, num_threads=1) for booster in bag] for bag in self.bags]
        raw = np.mean(said, axis=0).T
        scaled = raw.reshape(horizon, len(known.scale), -1) * known.scale[:, None]
        return in_order(scaled[:, :, :-1], scaled[:, :, -1], self.lowest)


def library() -> Any:  # noqa: ANN401 - a module
    """LightGBM. Raises DataError where it cannot be loaded, so that the other forecasters go on without it."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise DataError(
            f"the boosted model cannot be loaded ({error}); install OpenMP, which is libgomp1 on Debian and Ubuntu"
        ) from None
    return lightgbm


def issues(series: ClockSeries, horizon: int) -> IntArray:
    """Ends of what was known at earlier times of issue: some days ago, or some times six hours for few slots."""
    apart = series.per_day if horizon > series.per_day // 4 else max(series.per_day // 4, 1)
    ends: IntArray = np.arange(len(series.values) - horizon, WINDOW * series.per_day - 1, -apart)[::-1]
    return ends


def with_ahead(table: FloatArray, ahead: FloatArray) -> FloatArray:
    """Features of slots and members with what is known in advance of the slots."""
    steps, members, _ = table.shape
    return np.concatenate((table, np.broadcast_to(ahead[:, None], (steps, members, ahead.shape[1]))), axis=2)


def _training(
    history: History, series: ClockSeries, ends: IntArray, horizon: int, share: float, random: np.random.Generator
) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Rows of each time of issue: features (rows, columns), target and weight (rows,)."""
    rows_of = rows_on_clock(history, series)
    for end in ends.tolist():
        target = series.measured[end : end + horizon]
        known = features(history, series, end, np.arange(horizon))
        table = with_ahead(known.table, known_ahead(history, rows_of[end : end + horizon]))
        old_enough = series.begins <= end - WINDOW * series.per_day
        use = np.isfinite(target) & old_enough & (random.random(target.shape) < share)
        scale = np.broadcast_to(known.scale, target.shape)
        yield table[use].astype(np.float32), (target / known.scale)[use], scale[use]


def rows_on_clock(history: History, series: ClockSeries) -> IntArray:
    """Row of the history at each place of the clock; a skipped hour has the row of the hour after it."""
    starts = history.first_slot + history.length * np.arange(len(history.values), dtype=np.int64)
    index = history.calendar.local(starts) // history.length - series.first
    return np.minimum(np.searchsorted(np.maximum.accumulate(index), np.arange(len(series.values))), len(index) - 1)


def _options(leaves: int, rows: int) -> dict[str, Any]:
    """Parameters of LightGBM: one thread and, given beside them, a seed, so that the same data give the same trees."""
    return {
        "num_leaves": leaves, "learning_rate": 0.05, "min_data_in_leaf": min(max(rows // 400, 5), 200), "max_bin": 63,
        "feature_fraction": 0.5, "bagging_fraction": 0.25, "bagging_freq": 1, "deterministic": True,
        "force_row_wise": True, "num_threads": 1, "verbose": -1,
    }  # fmt: skip
