"""A light global model: linear quantile regression on the features of all members at once.

It begins at the empirical quantile of each level and moves away from it as far as the days learnt from ask for: a
ridge penalty holds it there. So with little to learn it is the empirical forecast, and learning takes a quarter of a
second.

Source: Koenker and Bassett, Regression quantiles, Econometrica 46(1), 1978; solved by the majorise-minimise algorithm
of Hunter and Lange, J. Computational and Graphical Statistics 9(1), 2000: each step is a weighted least-squares
problem, weights being one over the last step's absolute residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.models.features import NAMES, WINDOW, features, known_ahead
from transactive.forecasting.models.floats import Floats
from transactive.forecasting.models.training_rows import Rows, rows_of, with_ahead
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

DAYS = 150
"""Days learnt from; before them it was another season."""
MOST_ROWS = 10_000
PENALTY = 100.0
"""Of the squared distance from the empirical quantile, in rows."""
ITERATIONS = 10
LEAST_RESIDUAL = 0.03
"""Residuals count as at least this, in units of the member's scale, so that weights stay finite."""
LEAST_DEVIATION = 1e-9
"""A column that moves less explains nothing."""
BLOCK = 128
"""Rows multiplied at once: small enough for one thread, as several would wait for each other longer than they work."""
HARMONICS = 4
"""Sine and cosine pairs of the time of day."""
CLOCK, SKIPPED = NAMES.index("clock"), ("step", "clock", "weekday")
USED = [k for k, name in enumerate(NAMES) if name not in SKIPPED]
BEGINS = [*(f"quantile {level} 28" for level in LEVELS), "mean 28"]
"""Where the regression of each level, and that of the mean, begins."""


@dataclass(frozen=True, slots=True)
class Regression:
    """The recipe."""

    def train(self, history: History, horizon: int, random: np.random.Generator) -> RegressionModel:
        """Learn six linear functions from the last 150 days. Raises DataError when less than 35 days are known."""
        rows = rows_of(history.last(DAYS), horizon, MOST_ROWS, random)
        raw = _columns(rows.table.astype(np.float64))
        centre = np.nanmean(raw, axis=0)
        deviation = np.nanstd(raw, axis=0)
        deviation = np.where(deviation > LEAST_DEVIATION, deviation, np.inf)
        table = _scaled(raw, centre, deviation)
        begins = np.zeros((len(BEGINS), table.shape[1]))
        for k, name in enumerate(BEGINS):
            column = 2 * HARMONICS + USED.index(NAMES.index(name))
            still = np.isinf(deviation[column])
            begins[k, column], begins[k, -1] = 0.0 if still else deviation[column], centre[column]
        blocks = Rows(*(_in_blocks(part) for part in (table, rows.target, rows.weight)))
        lines = [_quantile(blocks, level, begin) for level, begin in zip(LEVELS, begins[:-1], strict=True)]
        lines.append(_step(blocks, blocks.weight, begins[-1]))
        return RegressionModel(np.stack(lines), centre, deviation, lowest_of(history))

    def from_bytes(self, content: bytes) -> RegressionModel:
        """The model that `to_bytes` wrote."""
        stored = msgspec.json.decode(content, type=tuple[Floats, Floats, Floats, float | None])
        weights, centre, deviation, lowest = stored
        return RegressionModel(weights.array, centre.array, deviation.array, lowest if lowest is not None else -np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class RegressionModel:
    """What was learnt: weights (levels and mean, columns and constant), of columns less centre over deviation."""

    weights: FloatArray
    centre: FloatArray
    deviation: FloatArray
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots of all members at once."""
        recent = history.last(WINDOW + 2)
        series = on_clock(recent)
        known = features(recent, series, len(series.values), steps_on_clock(recent, horizon))
        table = with_ahead(known.table, known_ahead(recent, len(recent.values) + np.arange(horizon)))
        flat = _scaled(_columns(table.reshape(-1, table.shape[2])), self.centre, self.deviation)
        said = (flat @ self.weights.T).reshape(horizon, len(known.scale), -1) * known.scale[:, None]
        return in_order(said[:, :, :-1], said[:, :, -1], self.lowest)

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        parts = (Floats.of(part) for part in (self.weights, self.centre, self.deviation))
        return msgspec.json.encode((*parts, self.lowest if np.isfinite(self.lowest) else None))


def _columns(table: FloatArray) -> FloatArray:
    """Time of day as waves, then the features and what is known in advance, (rows, columns)."""
    angle = 2 * np.pi / 86_400 * table[:, CLOCK, None] * np.arange(1, HARMONICS + 1)
    return np.concatenate((np.sin(angle), np.cos(angle), table[:, USED], table[:, len(NAMES) :]), axis=1)


def _scaled(raw: FloatArray, centre: FloatArray, deviation: FloatArray) -> FloatArray:
    """Columns of mean 0 and deviation 1 and a constant; what is not known in advance counts as usual."""
    table = (raw - centre) / deviation
    return np.concatenate((np.where(np.isnan(table), 0.0, table), np.ones((len(table), 1))), axis=1)


def _in_blocks(rows: FloatArray) -> FloatArray:
    """Rows in blocks, (blocks, BLOCK, …), the last one filled up with zeros, which weigh nothing."""
    count = -(-len(rows) // BLOCK)
    filled = np.zeros((count * BLOCK, *rows.shape[1:]))
    filled[: len(rows)] = rows
    return filled.reshape(count, BLOCK, *rows.shape[1:])


def _quantile(rows: Rows, level: float, begin: FloatArray) -> FloatArray:
    """Weights of one level, (columns,). rows: in blocks."""
    weights = begin
    for _ in range(ITERATIONS):
        miss = rows.target - rows.table @ weights
        pull = np.where(miss > 0, level, 1 - level) / np.maximum(np.abs(miss), LEAST_RESIDUAL)
        weights = _step(rows, pull * rows.weight, begin)
    return weights


def _step(rows: Rows, weight: FloatArray, begin: FloatArray) -> FloatArray:
    """Weighted least squares, held near where it began. rows: in blocks."""
    pulled = np.swapaxes(rows.table * weight[..., None], 1, 2)
    square = (pulled @ rows.table).sum(axis=0)
    square[np.diag_indices_from(square)] += PENALTY
    right = (pulled @ (rows.target - rows.table @ begin)[..., None]).sum(axis=0)[:, 0]
    moved: FloatArray = begin + np.linalg.solve(square, right)
    return moved
