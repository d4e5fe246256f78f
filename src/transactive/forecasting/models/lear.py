"""A sparse linear model of one series for each time of day, as is usual for day-ahead prices.

Source: LEAR, Lago, Marcjasz, De Schutter, Weron, Forecasting day-ahead electricity prices, Applied Energy 293, 2021:
the values of all hours of the last days and of a week before, day-of-week and what is known in advance explain the
value of one hour; LASSO chooses among them; asinh tames spikes (Uniejewski, Weron, Ziel, IEEE Trans. Power Systems
33(2), 2018). Ours gives quantiles by its errors, one time of day and its neighbours at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.installed import advice
from transactive.core.units import IntArray
from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.models.features import known_ahead
from transactive.forecasting.models.floats import Floats
from transactive.forecasting.models.training_rows import issues, rows_on_clock
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

LEAST_DAYS = 56
"""History below which nothing is learnt [days]."""
AGO = (1, 2, 3, 7)
"""Days whose hours explain."""
LEAST_DEVIATION = 1e-9
"""A column that moves less explains nothing."""
PENALTY = 0.15
"""Weight of the penalty, as a share of the least one that keeps no column."""
BLOCKS = 24
"""Parts of a day whose means explain; hourly series have so many slots."""


@dataclass(frozen=True, slots=True)
class Lear:
    """The recipe, for each member by itself: it pays for one or a few series."""

    def train(self, history: History, horizon: int, random: np.random.Generator) -> LearModel:  # noqa: ARG002 - no draw
        """Learn one linear model a coming slot and member. Raises DataError when less than 56 days are known."""
        series = on_clock(history)
        ends = issues(series, horizon)
        if len(series.values) < LEAST_DAYS * series.per_day + horizon:
            raise DataError(f"{len(history.values)} slots of history; the linear model needs {LEAST_DAYS} days")
        place = rows_on_clock(history, series)
        centre = np.median(series.values, axis=0)
        scale = np.median(np.abs(series.values - centre), axis=0) * 1.4826  # of a normal distribution: its deviation
        scale = np.where(scale > 0, scale, 1.0)
        tamed = np.arcsinh((series.values - centre) / scale)
        past = np.stack([_blocks(tamed, end, series.per_day) for end in ends])  # (ends, blocks, members)
        slots = []
        for step in range(horizon):
            when = _when(history, series.first + ends + step, known_ahead(history, place[ends + step]))
            slots.append(tuple(_line(past[:, :, m], when, tamed[ends + step, m]) for m in range(tamed.shape[1])))
        return LearModel(tuple(slots), centre, scale, lowest_of(history))

    def from_bytes(self, content: bytes) -> LearModel:
        """The model that `to_bytes` wrote."""
        stored = msgspec.json.decode(content, type=LinearFile)
        lines = tuple(tuple(LinearModel(w.array, c, e.array) for w, c, e in step) for step in stored.lines)
        lowest = stored.lowest if stored.lowest is not None else -np.inf
        return LearModel(lines, stored.centre.array, stored.scale.array, lowest)


class LinearFile(msgspec.Struct, frozen=True):
    """A model in a file: of each step and member weights, constant and errors; lowest is null without a bound."""

    lines: list[list[tuple[Floats, float, Floats]]]
    centre: Floats
    scale: Floats
    lowest: float | None


@dataclass(frozen=True, slots=True, eq=False)
class LinearModel:
    """One linear model: weights (columns,), the constant, and its errors on days that it had not learnt from."""

    weights: FloatArray
    constant: float
    errors: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class LearModel:
    """What was learnt: a line for each coming slot and member."""

    lines: tuple[tuple[LinearModel, ...], ...]
    centre: FloatArray
    scale: FloatArray
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots, at most as many as were learnt."""
        recent = history.last(max(AGO) + 2)
        series = on_clock(recent)
        end = len(series.values)
        steps = np.minimum(steps_on_clock(recent, horizon), len(self.lines) - 1)
        past = _blocks(np.arcsinh((series.values - self.centre) / self.scale), end, series.per_day)
        ahead = known_ahead(recent, len(recent.values) + np.arange(horizon))
        when = _when(recent, series.first + end + steps_on_clock(recent, horizon), ahead)
        values = np.empty((horizon, len(self.scale), len(LEVELS)))
        mean = np.empty(values.shape[:2])
        for k, step in enumerate(steps.tolist()):
            for member, line in enumerate(self.lines[step]):
                point = line.constant + np.concatenate((past[:, member], when[k])) @ line.weights
                around = [self.lines[s][member].errors for s in _near(step, len(self.lines))]
                outcomes = np.sinh(point + np.concatenate(around)) * self.scale[member] + self.centre[member]
                values[k, member] = np.quantile(outcomes, LEVELS)
                mean[k, member] = outcomes.mean()
        return in_order(values, mean, self.lowest)

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        lines = [[(Floats.of(m.weights), m.constant, Floats.of(m.errors)) for m in step] for step in self.lines]
        lowest = self.lowest if np.isfinite(self.lowest) else None
        return msgspec.json.encode(LinearFile(lines, Floats.of(self.centre), Floats.of(self.scale), lowest))


def _near(step: int, steps: int) -> range:
    """A step and its neighbours."""
    return range(max(step - 1, 0), min(step + 2, steps))


def _blocks(tamed: FloatArray, end: int, per_day: int) -> FloatArray:
    """Means of the blocks of some days before `end`, the last level, and the week's mean, (columns, members)."""
    blocks = min(BLOCKS, per_day)
    days = [tamed[max(end - k * per_day, 0) :][:per_day] for k in AGO]
    parts = [day.reshape(blocks, -1, day.shape[1]).mean(axis=1) for day in days]
    week = tamed[max(end - 7 * per_day, 0) : end].mean(axis=0)
    return np.concatenate((*parts, tamed[end - 1 : end], week[None]))


def _when(history: History, index: IntArray, ahead: FloatArray) -> FloatArray:
    """Weekday as seven columns of 0 and 1, holiday, and what is known in advance, (slots, columns)."""
    local = index * history.length
    weekday = history.calendar.weekday(local)[:, None] == np.arange(7)
    return np.concatenate((weekday, history.calendar.is_holiday(local)[:, None], ahead), axis=1).astype(np.float64)


def _line(past: FloatArray, when: FloatArray, target: FloatArray) -> LinearModel:
    """Learn one line from all days; its errors are those of one that had not seen the newest fifth of them, on that."""
    table, centre, deviation = _scaled(np.concatenate((past, when), axis=1))
    before = len(target) - len(target) // 5
    usual = float(target[:before].mean())
    errors = target[before:] - usual - table[before:] @ _lasso(table[:before], target[:before] - usual)
    weights = _lasso(table, target - target.mean()) / deviation
    return LinearModel(weights, float(target.mean() - centre @ weights), errors)


def _scaled(table: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Columns of mean 0 and deviation 1, with what they were; a column that does not move becomes 0."""
    centre, deviation = table.mean(axis=0), table.std(axis=0)
    deviation = np.where(deviation > LEAST_DEVIATION, deviation, np.inf)
    return (table - centre) / deviation, centre, deviation


def _lasso(table: FloatArray, target: FloatArray) -> FloatArray:
    """Weights of the columns, (columns,). Raises DataError without scikit-learn, so that the others go on."""
    import warnings

    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import lasso_path
    except ModuleNotFoundError as error:
        raise DataError(f"the linear model {advice(error) or error}") from None

    most = max(float(np.abs(table.T @ target).max()) / len(target), LEAST_DEVIATION)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after so many passes
        _, path, _ = lasso_path(table, target, alphas=[PENALTY * most], max_iter=300, tol=1e-3)
    weights: FloatArray = path[:, 0]
    return weights
