"""What a run expects: samples of net load, from empirical quantiles or from the forecaster that a community names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transactive.core.errors import DataError
from transactive.core.ports import PastReadings
from transactive.core.slots import DAY, MarketClock
from transactive.core.tables import Forecast
from transactive.forecasting import registry
from transactive.forecasting.empirical import SAMPLE_DAYS, forecast
from transactive.forecasting.registry import Model
from transactive.forecasting.samples import shuffled
from transactive.forecasting.series import History, Quantiles

EMPIRICAL = "empirical"
RETRAIN_DAYS = 28
"""A model is trained anew after so many days [d]."""
RECENT_DAYS = 60
"""What a trained model is shown when it forecasts [d]."""
Told = Callable[[int, int, slice], Quantiles | None]
"""Quantiles of the slots after a time [Unix s], so many, of some homes; None where the empirical samples stand."""


class NetLoadForecast:
    """Forecasts of one run.

    name: of the forecaster. start: a time [Unix s] at or before the first gate; a model is trained on what is known
    then, and anew every four weeks, so that an interrupted run trains as it would have. told: who forecasts in its
    place, if somebody looks after the models.
    """

    def __init__(
        self,
        name: str,
        past: PastReadings,
        clock: MarketClock,
        start: int,
        told: Told | None = None,
    ) -> None:
        self.name, self.start = name, start
        self._told = told or self._by_own_model
        self._past, self._clock = past, clock
        self._trained: dict[tuple[int, int], Model | None] = {}

    def forecast(self, now: int, slots: range, homes: slice = slice(None)) -> Forecast:
        """Samples of coming slots from what is known at `now`. Raises DataError when less than a day is known.

        Empirical quantiles are whole numbers throughout, so they are the same on every machine; another forecaster
        moves their samples to its own quantiles. Until it has the history that it needs the empirical ones stand.
        """
        length, past = self._clock.length, self._past.history(now)
        begin = max(len(past.net_load_wh) - SAMPLE_DAYS * DAY // length, 0)  # older readings are not looked at
        samples = forecast(past.net_load_wh[begin:, homes], past.first_slot + begin * length, length, slots)
        if self.name == EMPIRICAL:
            return samples
        offset = (slots[0] - now) // length
        horizon = offset + len(slots)
        told = self._told(now, horizon, homes)
        if told is None:
            return samples
        return shuffled(Quantiles(told.values[offset:], told.mean[offset:]), samples)

    def _by_own_model(self, now: int, horizon: int, homes: slice) -> Quantiles | None:
        """Quantiles by the forecaster alone, untested: None until it has the history that it needs."""
        model = self._model(now, self._learnt_horizon(horizon))
        if model is None:
            return None
        history = self._history(now, RECENT_DAYS, homes)
        return model.predict(history, horizon).checked(horizon, history.values.shape[1])

    def _learnt_horizon(self, horizon: int) -> int:
        """Horizon that a model is trained for: a few slots as they are, more than a quarter of a day as whole days."""
        per_day = DAY // self._clock.length
        return horizon if horizon <= per_day // 4 else -(-horizon // per_day) * per_day

    def _model(self, now: int, horizon: int) -> Model | None:
        """What was learnt by the last training before `now`, or None where the history was too short."""
        trained_at = now - (now - self.start) % (RETRAIN_DAYS * DAY) if now >= self.start else now
        key = (trained_at, horizon)
        if key not in self._trained:
            self._trained = {k: model for k, model in self._trained.items() if k[0] == trained_at}
            recipe = registry.load(self.name)
            try:
                history = self._history(trained_at, None, slice(None))
                self._trained[key] = recipe.train(history, horizon, np.random.default_rng(horizon))
            except DataError:
                self._trained[key] = None
        return self._trained[key]

    def _history(self, now: int, days: int | None, homes: slice) -> History:
        """What is known at a time as a history of floats, at most so many days."""
        past, length = self._past.history(now), self._clock.length
        begin = 0 if days is None else max(len(past.net_load_wh) - days * DAY // length, 0)
        first = past.first_slot + begin * length
        return History(first, length, past.net_load_wh[begin:, homes].astype(np.float64))
