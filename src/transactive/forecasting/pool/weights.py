"""Weights of the forecasters in a pool, learnt level by level from what came, and only from what had come by then.

For each level the pool's forecast is a mean of the forecasters', weighted by ML-Poly: a weight grows with how much less
the pool would have lost had it leant towards that forecaster (its regret), over the sum of the squares of such amounts,
so that there is no rate to tune. Losses are the pinball losses of the levels, and the squared error of the mean. Each
part of the day and each member has weights of its own; the mean experience of all members counts beside its own, so
one without a past has the weights that suit the others. A forecaster that is absent has no weight and learns nothing.

Sources: Gaillard, Stoltz, van Erven, A second-order bound with excess losses, COLT 2014 (ML-Poly); Berrisch, Ziel, CRPS
learning, J. Econometrics 237(2), 2023 (weights for each level).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from transactive.core.slots import DAY
from transactive.core.units import BoolArray, IntArray
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order

PARTS = 4
"""Parts of a day whose weights are learnt apart."""
KEPT = 0.99
"""What is left of past experience after another issue of a day."""
SHARED = 1.0
"""How much the mean experience of all members counts beside a member's own."""
LEAST_SQUARES = 1e-9
COLUMNS = len(LEVELS) + 1
"""Levels and mean."""


@dataclass(slots=True, eq=False)
class PoolWeights:
    """What a pool has learnt: sums of regrets and of their squares, (forecasters, parts, members, levels and mean).

    Errors count in units of the member's usual size, so that members can be averaged.
    """

    regret: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, forecasters: int, members: int) -> Self:
        """Weights that know of nothing yet: the same for everybody."""
        shape = (forecasters, PARTS, members, COLUMNS)
        return cls(np.zeros(shape), np.zeros(shape))

    def shared(self) -> Self:
        """Mean experience of all members, for members yet unknown."""
        return type(self)(*(part.mean(axis=2, keepdims=True) for part in (self.regret, self.squares)))

    def of_members(self, members: int) -> Self:
        """Weights of so many members that all begin with shared experience."""
        return type(self)(*(np.repeat(part, members, axis=2) for part in (self.regret, self.squares)))

    def weights(self, present: BoolArray, followed: BoolArray | None = None) -> FloatArray:
        """Weights of those that are present, (forecasters,), in the shape of `regret`; they add up to 1.

        followed: who shares the weight alike where nobody would have made the pool better; all present without it.
        """
        regret = self.regret + SHARED * self.regret.mean(axis=2, keepdims=True)
        squares = self.squares + SHARED * self.squares.mean(axis=2, keepdims=True)
        there = present[:, None, None, None]
        raw = np.where(there, np.maximum(regret, 0.0) / (squares + LEAST_SQUARES), 0.0)
        total = raw.sum(axis=0)
        alike = present if followed is None else followed
        equal = alike[:, None, None, None] / max(int(alike.sum()), 1)
        weights: FloatArray = np.where(total > 0, raw / np.where(total > 0, total, 1.0), equal)
        return weights

    def mixed(
        self, said: FloatArray, present: BoolArray, parts: IntArray, followed: BoolArray | None = None
    ) -> FloatArray:
        """The pool's forecast, (horizon, members, columns); quantiles may still cross.

        said: (forecasters, horizon, members, columns), of any value where the forecaster is absent. parts: of the day,
        (horizon,). followed: as in `weights`.
        """
        weights = self.weights(present, followed)
        made = np.zeros(said.shape[1:])
        for k in np.flatnonzero(present).tolist():
            made += weights[k, parts] * said[k]
        return made

    def learn(self, said: FloatArray, made: FloatArray, came: Came, present: BoolArray) -> None:
        """Learn from an issue whose slots have all come.

        said: as in `mixed`, which answered `made`.
        """
        there = np.isfinite(came.truth)[..., None]
        truth = np.where(there, came.truth[..., None], 0.0)
        slope = np.concatenate(
            (np.less(truth, made[..., :-1]) - np.array(LEVELS), 2 * (made - truth)[..., -1:]), axis=2
        )
        slope[..., -1] /= came.size
        slope *= there
        self.regret *= KEPT**came.days
        self.squares *= KEPT**came.days
        for part in np.unique(came.parts).tolist():
            slots = came.parts == part
            for k in np.flatnonzero(present).tolist():
                less = slope[slots] * (made[slots] - said[k, slots]) / came.size[:, None]
                gained = less.sum(axis=0)
                self.regret[k, part] += gained
                self.squares[k, part] += gained**2


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """What came of an issue: truth (horizon, members), NaN for a gap, and the part of the day of each slot.

    size: usual size of each member, (members,). days: how long the issue was.
    """

    truth: FloatArray
    parts: IntArray
    size: FloatArray
    days: float


def columns_of(forecast: Quantiles) -> FloatArray:
    """Levels and mean side by side, (horizon, members, columns)."""
    return np.concatenate((forecast.values, forecast.mean[..., None]), axis=2)


def forecast_of(columns: FloatArray, lowest: float) -> Quantiles:
    """The forecast again, its quantiles in order."""
    return in_order(columns[..., :-1], columns[..., -1], lowest)


def parts_of_day(history: History, horizon: int) -> IntArray:
    """Part of the local day of each of the coming slots, (horizon,)."""
    local = history.calendar.local(history.slots(horizon))
    parts: IntArray = local % DAY * PARTS // DAY
    return parts


def sizes(values: FloatArray) -> FloatArray:
    """Mean absolute value of each member, (members,); 1 for one that was never measured or is always 0."""
    there = np.isfinite(values)
    total, count = np.abs(np.where(there, values, 0.0)).sum(axis=0), there.sum(axis=0)
    mean = total / np.maximum(count, 1)
    return np.where(mean > 0, mean, 1.0)
