"""Sparse linear models of one series for each time of day, as is usual for day-ahead prices, averaged over windows.

The values of all hours of the day before, two and three days and a week before, and what is known in advance of all
hours of the day itself, the day before and the week before explain the value of one hour, with the day of the week.
LASSO chooses among them; asinh of what is centred by the median and scaled by the median deviation tames spikes. Some
windows of history are learnt from, each with the penalty that missed least on the newest days, and their forecasts are
averaged: short windows follow a change, long ones know more. Quantiles are those of the errors that this mean made on
the newest days, which it had not seen, at one time of day and its neighbours.

Sources: LEAR, Lago, Marcjasz, De Schutter, Weron, Forecasting day-ahead electricity prices, Applied Energy 293, 2021;
asinh, Uniejewski, Weron, Ziel, IEEE Trans. Power Systems 33(2), 2018; windows, Marcjasz, Serafin, Weron, Energies
11(9), 2018.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import msgspec
import numpy as np

from transactive.core.errors import DataError
from transactive.core.installed import advice
from transactive.core.units import BoolArray, IntArray
from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.models.explained import AGO, AHEAD_AGO, Explained, explained
from transactive.forecasting.models.floats import Floats
from transactive.forecasting.models.training_rows import issues
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

LEAST_DAYS = 56
"""History below which nothing is learnt [days]."""
MOST_DAYS_AHEAD = 7
WINDOWS = (56, 84, 1092, 1456)
"""Days learnt from; those longer than the history are one."""
PENALTIES = (0.1, 0.05, 0.02, 0.01)
"""Weights of the penalty that are tried, as shares of the least one that keeps no column."""
NEWEST = 28
"""Days that choose the penalty and give the errors; a fifth of a short history."""
LEAST_DEVIATION = 0.05
"""A column that moves less, in deviations of its series, explains nothing: a night that the sun has yet to reach."""
LEAST_PULL = 1e-9
"""Of a column on the target: less is none."""
LEAST_SPREAD = 0.2
"""Deviation by the median, as a share of the usual one, below which a series, such as sun, is scaled by the latter."""
NORMAL = 1.4826
"""Deviation of a normal distribution over its median deviation."""
BEYOND = 1.0
"""How far a forecast may lie beyond all that was seen, as asinh."""
LOOK_BACK = max(*AGO, *AHEAD_AGO) + 2
"""Days that a forecast looks at."""


@dataclass(frozen=True, slots=True)
class Lear:
    """The recipe, for each member by itself: it pays for one or a few series."""

    def train(self, history: History, horizon: int, random: np.random.Generator) -> LearModel:  # noqa: ARG002 - no draw
        """Learn linear models of each coming slot and member.

        Raises DataError when less than 56 days and the horizon are known, and for more than seven days ahead.
        """
        history = history.last(max(WINDOWS))
        series = on_clock(history)
        per_day = series.per_day
        if horizon > MOST_DAYS_AHEAD * per_day:
            raise DataError(f"the linear model reaches {MOST_DAYS_AHEAD} days ahead at most")
        if len(series.values) < LEAST_DAYS * per_day + horizon:
            raise DataError(f"{len(history.values)} slots of history; the linear model needs {LEAST_DAYS} days")
        known, ends = explained(history, series, horizon), issues(series, horizon)
        taming, ahead = Taming.of(known.values), Taming.of(known.ahead)
        table = LinearTable.of(known, ends, horizon, taming, ahead)
        members = [_member(table, member) for member in range(series.values.shape[1])]
        weights = np.ascontiguousarray(
            np.stack([lines for lines, _ in members], axis=2)
        )  # (windows, steps, members, columns)
        errors = np.stack([missed for _, missed in members], axis=1)  # (steps, members, days)
        return LearModel(weights, errors, taming, ahead, lowest_of(history))

    def from_bytes(self, content: bytes) -> LearModel:
        """The model that `to_bytes` wrote. Raises DataError for one of an older version."""
        try:
            stored = msgspec.json.decode(content, type=LinearFile)
        except msgspec.ValidationError:
            raise DataError("its linear model is of an older version; train anew") from None
        lowest = stored.lowest if stored.lowest is not None else -np.inf
        taming, ahead = (Taming(*part.array) for part in (stored.taming, stored.ahead))
        return LearModel(stored.weights.array, stored.errors.array, taming, ahead, lowest)


class LinearFile(msgspec.Struct, frozen=True):
    """A model in a file; lowest is null where nothing bounds the series."""

    weights: Floats
    errors: Floats
    taming: Floats
    ahead: Floats
    lowest: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Taming:
    """How columns are tamed: median and deviation that each is counted from, and least and most that came of it.

    Each is (columns,).
    """

    centre: FloatArray
    scale: FloatArray
    least: FloatArray
    most: FloatArray

    @classmethod
    def of(cls, columns: FloatArray) -> Taming:
        """That of a history, (slots, columns)."""
        if not columns.size:
            return cls(*[np.empty(0)] * 4)
        centre, usual = np.median(columns, axis=0), columns.std(axis=0)
        scale = np.median(np.abs(columns - centre), axis=0) * NORMAL
        scale = np.where(scale > LEAST_SPREAD * usual, scale, usual)
        scale = np.where(scale > 0, scale, 1.0)
        tamed = np.arcsinh((columns - centre) / scale)
        return cls(centre, scale, tamed.min(axis=0) - BEYOND, tamed.max(axis=0) + BEYOND)

    def tamed(self, columns: FloatArray) -> FloatArray:
        """Columns tamed; nothing lies far beyond what was learnt from."""
        if not columns.size:
            return columns
        return np.clip(np.arcsinh((columns - self.centre) / self.scale), self.least, self.most)

    def wild(self, tamed: FloatArray, column: int) -> FloatArray:
        """Values of a column again, none far beyond what was learnt from."""
        bounded = np.clip(tamed, self.least[column], self.most[column])
        values: FloatArray = np.sinh(bounded) * self.scale[column] + self.centre[column]
        return values

    def stored(self) -> Floats:
        """As it is stored, (4, columns)."""
        return Floats.of(np.stack((self.centre, self.scale, self.least, self.most)))


@dataclass(frozen=True, slots=True, eq=False)
class LearModel:
    """What was learnt: weights and constant (windows, steps, members, columns), and errors (steps, members, days)."""

    weights: FloatArray
    errors: FloatArray
    taming: Taming
    ahead: Taming
    lowest: float

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots, at most as many as were learnt."""
        recent = history.last(LOOK_BACK)
        series = on_clock(recent)
        learnt = self.weights.shape[1]
        known, end = explained(recent, series, learnt), np.array([len(series.values)])
        table = LinearTable.of(known, end, learnt, self.taming, self.ahead)
        steps = np.minimum(steps_on_clock(recent, horizon), learnt - 1).tolist()
        members = series.values.shape[1]
        values, mean = np.empty((horizon, members, len(LEVELS))), np.empty((horizon, members))
        for k, step in enumerate(steps):
            for member in range(members):
                row = np.append(table.row(step, member), 1.0)
                point = (self.weights[:, step, member] @ row).mean()
                around = self.errors[max(step - 1, 0) : step + 2, member].ravel()
                outcomes = self.taming.wild(point + around, member)
                values[k, member], mean[k, member] = np.quantile(outcomes, LEVELS), outcomes.mean()
        return in_order(values, mean, self.lowest)

    def to_bytes(self) -> bytes:
        """The same model as bytes, for a file."""
        lowest = self.lowest if np.isfinite(self.lowest) else None
        stored = LinearFile(
            Floats.of(self.weights), Floats.of(self.errors), self.taming.stored(), self.ahead.stored(), lowest
        )
        return msgspec.json.encode(stored)


@dataclass(slots=True, eq=False)
class LinearTable:
    """Rows to learn from or to forecast by: one for each end of what is known, of tamed columns."""

    known: Explained
    ends: IntArray
    horizon: int
    tamed: FloatArray
    ahead: FloatArray
    taming: Taming
    _past: FloatArray | None = None

    @classmethod
    def of(cls, known: Explained, ends: IntArray, horizon: int, taming: Taming, ahead: Taming) -> LinearTable:
        """That of a history, tamed."""
        return cls(known, ends, horizon, taming.tamed(known.values), ahead.tamed(known.ahead), taming)

    def row(self, step: int, member: int) -> FloatArray:
        """What explains a step of a member, (ends, columns), or (columns,) for one end."""
        if self._past is None:
            self._past = self.known.past(self.ends, self.tamed)
        when = self.known.when(self.ends, step, self.horizon, self.ahead)
        found = np.concatenate((self._past[:, :, member], when), axis=1)
        return found if len(self.ends) > 1 else found[0]

    def target(self, step: int, member: int) -> FloatArray:
        """What came, (ends,)."""
        came: FloatArray = self.tamed[self.ends + step, member]
        return came


def _member(table: LinearTable, member: int) -> tuple[FloatArray, FloatArray]:
    """Lines of all windows and steps, (windows, steps, columns), and the errors of their mean on the newest days."""
    ends, per_day = table.ends, table.known.per_day
    newest = ends > ends[-1] - min(NEWEST * per_day, (ends[-1] - ends[0]) // 5)
    before = ends + table.horizon <= ends[newest][0]
    windows = sorted({min(window * per_day, int(ends[-1] - ends[0])) for window in WINDOWS})
    lines, said = [], []
    for window in windows:
        early = _fitted(table, member, before & (ends > ends[before][-1] - window))
        tried = np.clip(_said(table, member, early, newest), table.taming.least[member], table.taming.most[member])
        missed = [np.abs(one - _came(table, member, newest)).mean() for one in tried]
        best = int(np.argmin(missed))
        said.append(tried[best])
        lines.append(_fitted(table, member, ends > ends[-1] - window)[best])
    return np.stack(lines), _came(table, member, newest) - np.mean(said, axis=0)


def _came(table: LinearTable, member: int, rows: BoolArray) -> FloatArray:
    """What came in some rows, (steps, rows)."""
    return np.stack([table.target(step, member)[rows] for step in range(table.horizon)])


def _said(table: LinearTable, member: int, lines: FloatArray, rows: BoolArray) -> FloatArray:
    """What lines say of some rows: lines (penalties, steps, columns), answer (penalties, steps, rows)."""
    parts = []
    for step in range(table.horizon):
        found = table.row(step, member)[rows]
        parts.append(lines[:, step] @ np.concatenate((found, np.ones((len(found), 1))), axis=1).T)
    return np.stack(parts, axis=1)


def _fitted(table: LinearTable, member: int, rows: BoolArray) -> FloatArray:
    """Lines for each penalty and step learnt from some rows, (penalties, steps, columns and constant)."""
    lines = []
    last = table.row(0, member)[rows]
    scaled = Scaled.of(last)
    for step in range(table.horizon):
        found = table.row(step, member)[rows]
        if not np.array_equal(found, last):  # at another day of the week
            last, scaled = found, Scaled.of(found)
        target = table.target(step, member)[rows]
        weights = _lasso(scaled, target - target.mean()) / scaled.deviation
        constant = target.mean() - weights @ scaled.centre
        lines.append(np.concatenate((weights, constant[:, None]), axis=1))
    return np.stack(lines, axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Columns of mean 0 and deviation 1, (rows, columns), with what they were, and their products with each other."""

    table: FloatArray
    gram: FloatArray
    centre: FloatArray
    deviation: FloatArray

    @classmethod
    def of(cls, raw: FloatArray) -> Scaled:
        """Those of raw columns; one that does not move becomes 0."""
        centre, deviation = raw.mean(axis=0), raw.std(axis=0)
        deviation = np.where(deviation > LEAST_DEVIATION, deviation, np.inf)
        table = (raw - centre) / deviation
        return cls(table, table.T @ table, centre, deviation)


def _lasso(scaled: Scaled, target: FloatArray) -> FloatArray:
    """Weights of the columns for each penalty, (penalties, columns). Raises DataError without scikit-learn."""
    try:
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import lasso_path
    except ModuleNotFoundError as error:
        raise DataError(f"the linear model {advice(error) or error}") from None

    pull = scaled.table.T @ target
    most = max(float(np.abs(pull).max()) / len(target), LEAST_PULL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # near enough after so many passes
        alphas = [penalty * most for penalty in PENALTIES]
        _, path, _ = lasso_path(
            scaled.table, target, alphas=alphas, precompute=scaled.gram, Xy=pull, max_iter=300, tol=1e-3
        )
    weights: FloatArray = path.T
    return weights
