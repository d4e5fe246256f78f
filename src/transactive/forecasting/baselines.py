"""Trivial forecasts, each with quantiles: what every model has to beat, and the candidates that it competes with.

Each is a function of the last days alone, (days, per_day, members), oldest first. A point forecast gets the quantiles
of the errors that the same rule made on these days at the same time of day.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

WINDOW = 28
"""Days that a trivial forecast looks back."""

Rule: TypeAlias = Callable[[FloatArray], FloatArray]
"""Days (days, per_day, members) to the point forecast of the next day (per_day, members)."""


@dataclass(frozen=True, slots=True)
class Empirical:
    """Quantiles and mean of the same time of day over the last `days` days: seasonal naive quantiles."""

    days: int = WINDOW

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Empirical:  # noqa: ARG002 - nothing to learn
        """There is nothing to learn."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots."""
        series = on_clock(history)
        past = series.days(len(series.values), self.days)
        step = steps_on_clock(history, horizon) % series.per_day
        values = np.moveaxis(np.quantile(past, LEVELS, axis=0), 0, -1)
        return Quantiles(values[step], past.mean(axis=0)[step])


@dataclass(frozen=True, slots=True)
class Persistence:
    """A rule that repeats the past; `span` is how many days it looks back."""

    rule: Rule
    span: int

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Persistence:  # noqa: ARG002 - nothing to learn
        """There is nothing to learn."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots."""
        series = on_clock(history)
        past = series.days(len(series.values), WINDOW + self.span)
        point = self.rule(past)
        errors = [past[k] - self.rule(past[:k]) for k in range(self.span, len(past))]
        spread = np.quantile(errors, LEVELS, axis=0) if errors else np.zeros((len(LEVELS), *point.shape))
        lowest = lowest_of(history)
        step = steps_on_clock(history, horizon) % series.per_day
        return in_order((point[..., None] + np.moveaxis(spread, 0, -1))[step], point[step], lowest)


def two_weeks() -> Empirical:
    """Quantiles of the last fourteen days: narrower in time, nearer to a change of season."""
    return Empirical(14)


def last_day() -> Persistence:
    """The value of the day before."""
    return Persistence(lambda days: days[-1], 1)


def last_week() -> Persistence:
    """The value of a week before, or of the oldest day known."""
    return Persistence(lambda days: days[-min(7, len(days))], 7)


def mean_of_week() -> Persistence:
    """The mean of the last seven days at the same time of day."""
    return Persistence(lambda days: days[-7:].mean(axis=0), 7)
