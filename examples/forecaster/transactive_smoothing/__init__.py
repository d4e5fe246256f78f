"""A forecaster of one's own: each time of day is smoothed by itself, and its errors give the quantiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.forecasting.clock import on_clock, steps_on_clock
from transactive.forecasting.series import LEVELS, History, Quantiles, in_order, lowest_of

DAYS = 56


@dataclass(frozen=True, slots=True)
class Smoothing:
    """Recipe and model in one, as nothing is learnt; a day counts `share` of what all days before it count together."""

    share: float = 0.2

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Smoothing:  # noqa: ARG002 - no draw
        """Return itself: a model with weights of its own would load or fit them here."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming slots; raises DataError when less than a day is known.

        Simple exponential smoothing: Brown, Statistical Forecasting for Inventory Control, 1959.
        """
        series = on_clock(history.last(DAYS + 2))  # by local clock, without gaps
        days = series.days(len(series.values), DAYS)
        level, errors = days[0], [np.zeros_like(days[0])]
        for day in days[1:]:
            errors.append(day - level)
            level = level + self.share * (day - level)
        spread = np.moveaxis(np.quantile(errors[-28:], LEVELS, axis=0), 0, -1)
        slot = steps_on_clock(history, horizon) % series.per_day
        return in_order((level[..., None] + spread)[slot], level[slot], lowest_of(history))
