"""Forecasts for members with little history: how all members' days look, at the member's own size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError
from transactive.core.units import BoolArray
from transactive.forecasting.clock import ClockSeries, on_clock, steps_on_clock
from transactive.forecasting.series import LEVELS, FloatArray, History, Quantiles, in_order, lowest_of

YOUNG_DAYS = 14
"""A member with less history than this is forecast from the pool [days]."""
WINDOW = 28
LEAST_POOLED_DAYS, NEAR_HOURS = 3, 2
"""Days from which on the errors of a young series are pooled, and over how many hours to each side."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """Quantiles of the same time of day over the days of all grown members, each in units of its own mean."""

    def train(self, history: History, horizon: int, random: np.random.Generator) -> Pooled:  # noqa: ARG002 - nothing to learn
        """There is nothing to learn."""
        return self

    def predict(self, history: History, horizon: int) -> Quantiles:
        """Forecast the coming `horizon` slots. Raises DataError when no member has two weeks of history."""
        series = on_clock(history.last(WINDOW + 2))
        grown = ~is_young(series)
        if not grown.any():
            raise DataError(f"no member has {YOUNG_DAYS} days of history to pool; give more")
        size = _size(series, grown)
        past = series.days(len(series.values), WINDOW)[:, :, grown] / size[grown]
        pool = np.moveaxis(past, 2, 0).reshape(-1, past.shape[1])
        step = steps_on_clock(history.last(WINDOW + 2), horizon) % series.per_day
        values = np.quantile(pool, LEVELS, axis=0).T[step]
        mean = pool.mean(axis=0)[step]
        return in_order(values[:, None] * size[:, None], mean[:, None] * size, -np.inf)


def is_young(series: ClockSeries) -> BoolArray:
    """Which members have less than two weeks of readings, (members,)."""
    young: BoolArray = len(series.values) - series.begins < YOUNG_DAYS * series.per_day
    return young


def with_pool(forecast: Quantiles, history: History) -> Quantiles:
    """The forecast with those of young members taken from the pool; where all are young, widened by their errors."""
    series = on_clock(history.last(YOUNG_DAYS + 1))
    young = is_young(series)
    if not young.any():
        return forecast
    if young.all():
        return _widened(forecast, history, series)
    pooled = Pooled().predict(history, len(forecast.mean))
    return Quantiles(
        np.where(young[:, None], pooled.values, forecast.values), np.where(young, pooled.mean, forecast.mean)
    )


def _widened(forecast: Quantiles, history: History, series: ClockSeries) -> Quantiles:
    """Quantiles around the mean of a few days, of the errors at about the same time of day.

    Three days at one time of day have no outer quantiles; three days at five hours have some. The error of a day is
    that of the mean of the others. What was never measured, and less than three days, leave the forecast as it is.
    """
    days = series.days(len(series.values), YOUNG_DAYS)
    count = len(days)
    if count < LEAST_POOLED_DAYS:
        return forecast
    mean = days.mean(axis=0)
    errors = (days - mean) * count / (count - 1)
    slots = NEAR_HOURS * series.per_day // 24
    near = np.concatenate([np.roll(errors, shift, axis=1) for shift in range(-slots, slots + 1)])
    step = steps_on_clock(history, len(forecast.mean)) % series.per_day
    spread = np.moveaxis(np.quantile(near, LEVELS, axis=0), 0, -1)
    widened = in_order((mean[..., None] + spread)[step], mean[step], lowest_of(history))
    certain = (days.max(axis=0) == days.min(axis=0))[step]
    return Quantiles(np.where(certain[..., None], forecast.values, widened.values), forecast.mean)


def _size(series: ClockSeries, grown: BoolArray) -> FloatArray:
    """Mean of what each member had, (members,); for one without a reading that of the grown ones."""
    there = np.isfinite(series.measured)
    count = there.sum(axis=0)
    own = np.abs(np.where(there, series.measured, 0.0)).sum(axis=0) / np.maximum(count, 1)
    usual = float(own[grown].mean()) or 1.0
    return np.where((count > 0) & (own > 0), own, np.where(count > 0, 1.0, usual))
