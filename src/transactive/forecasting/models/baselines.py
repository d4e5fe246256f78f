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
class Fading:
    """Quantiles of the same time of day over 28 days, a day weighing half as much as one seven days after it.

    A change of season or of habits shows within days, and there are still enough days for the outer quantiles. Chosen
    on days before those of docs/papers/forecasting.md. Source of the weights: Taylor, J. Financial Econometrics 6(3),
    2008.
    """

    half_life: float = 7.0

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Fading:  # noqa: ARG002 - nothing to learn
        """There is nothing to learn."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots."""
        series = on_clock(history)
        past = series.days(len(series.values), WINDOW)
        weight = 0.5 ** (np.arange(len(past))[::-1] / self.half_life)
        weight /= weight.sum()
        step = steps_on_clock(history, horizon) % series.per_day
        return Quantiles(weighted_quantiles(past, weight)[step], np.tensordot(weight, past, axes=1)[step])


def weighted_quantiles(past: FloatArray, weight: FloatArray) -> FloatArray:
    """Quantiles of days of these weights, (per_day, members, levels): linear between the middles of the weights."""
    order = np.argsort(past, axis=0, kind="stable")
    values, weights = np.take_along_axis(past, order, axis=0), weight[order]
    middle = np.cumsum(weights, axis=0) - weights / 2
    found = np.empty((*past.shape[1:], len(LEVELS)))
    for k, level in enumerate(LEVELS):
        above = np.clip((middle < level).sum(axis=0), min(1, len(past) - 1), len(past) - 1)[None]
        below = np.maximum(above - 1, 0)
        low, high = (np.take_along_axis(values, place, axis=0)[0] for place in (below, above))
        begin, end = (np.take_along_axis(middle, place, axis=0)[0] for place in (below, above))
        part = np.clip((level - begin) / np.where(end > begin, end - begin, 1.0), 0.0, 1.0)
        found[..., k] = low + (high - low) * part
    return found


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
