"""What a forecaster must do to be one; for the tests of those who write them, ours included."""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError, require
from transactive.forecasting.registry import Forecaster, Model, Restoring, StorableModel
from transactive.forecasting.series import FloatArray, History, Quantiles

START = 1_496_620_800  # a Monday, 2017-06-05T00:00Z
DAYS = 64
POISON = 1e9


def check_forecaster(
    recipe: Forecaster, random: np.random.Generator, lengths: tuple[int, ...] = (3600, 1800), days: int = DAYS
) -> None:
    """Train and ask a forecaster on random series of two members and raise RuleBroken for the first broken rule.

    lengths: of a slot [s]. days: of history, for one that learns from more than two months. Rules: a forecast has its
    shape, is finite and its quantiles do not cross; what comes after the time of issue changes nothing, not even where
    it lies in memory behind what is given; the same history gives the same forecast; gaps and a member without history
    do no harm; nothing that is given is changed; a model that can be stored forecasts the same when it is read again;
    too little history is forecast or refused with DataError.
    """
    for length in lengths:
        per_day = 86_400 // length
        series = random_series(random, days * per_day, per_day)
        known, horizon = (days - 2) * per_day, per_day
        seed = int(random.integers(1 << 30))
        clean, poisoned = (
            _told(recipe, values, length, known, horizon, seed) for values in (series, _poison(series, known))
        )
        require(_equal(clean, poisoned), "what comes after the time of issue changes no forecast")
        require(
            _equal(clean, _told(recipe, series, length, known, horizon, seed)), "the same history, the same forecast"
        )
        _told(recipe, _with_gaps(random, series), length, known, horizon, seed)
        _told(recipe, series, length, known, max(per_day // 24, 1), seed)
    short = random_series(random, 30, 24)
    try:
        _told(recipe, short, 3600, 26, 2, 0)
    except DataError:
        return


def random_series(random: np.random.Generator, slots: int, per_day: int) -> FloatArray:
    """Draw the consumption of two members with a daily shape [Wh], (slots, 2)."""
    shape = 300 + 200 * np.sin(2 * np.pi * np.arange(slots) / per_day)
    return np.round(shape[:, None] * random.gamma(2.0, 0.5, (slots, 2)))


def _told(recipe: Forecaster, values: FloatArray, length: int, known: int, horizon: int, seed: int) -> Quantiles:
    """Forecast of a trained model; the history is a view into a series that goes on, and must not be changed."""
    values = values.copy()
    before = values[:known].copy()
    history = History(START, length, values[:known])
    model: Model = recipe.train(history, horizon, np.random.default_rng(seed))
    forecast = model.predict(history, horizon).checked(horizon, values.shape[1])
    if isinstance(model, StorableModel) and isinstance(recipe, Restoring):
        again = recipe.from_bytes(model.to_bytes()).predict(history, horizon)
        require(_equal(forecast, again), "a model that was stored forecasts the same when it is read again")
    require(np.array_equal(values[:known], before, equal_nan=True), "a forecaster changes nothing that it is given")
    return forecast


def _poison(series: FloatArray, known: int) -> FloatArray:
    """The series with another future."""
    return np.where(np.arange(len(series))[:, None] < known, series, POISON)


def _with_gaps(random: np.random.Generator, series: FloatArray) -> FloatArray:
    """The series with a tenth of it missing, and a second member that began a week before the end."""
    gaps = random.random(series.shape) < 0.1
    gaps[: len(series) * 8 // 9, 1] = True
    return np.where(gaps, np.nan, series)


def _equal(one: Quantiles, other: Quantiles) -> bool:
    """Whether two forecasts are the same to the last bit."""
    return np.array_equal(one.values, other.values) and np.array_equal(one.mean, other.mean)
