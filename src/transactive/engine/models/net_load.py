"""What a run expects: samples of net load, from empirical quantiles or from the forecaster that a community names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, MarketClock
from transactive.core.tables import Forecast
from transactive.core.units import IntArray
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
"""Quantiles of the slots after a row, so many, of some homes; None where the empirical samples stand."""


class NetLoadForecast:
    """Forecasts of one run.

    name: of the forecaster. net_load_wh: consumption − generation of all recorded slots, (slots, members), from
    `first_slot` on; a forecast looks at those before its `known` only. start: row at or before the first gate; a model
    is trained on what is known then, and anew every four weeks, so that an interrupted run trains as it would have.
    told: who forecasts in its place, if somebody looks after the models.
    """

    def __init__(
        self,
        name: str,
        net_load_wh: IntArray,
        first_slot: int,
        clock: MarketClock,
        start: int,
        told: Told | None = None,
    ) -> None:
        self.name, self.start = name, start
        self._told = told or self._by_own_model
        self._net_load_wh, self._first_slot, self._clock = net_load_wh, first_slot, clock
        self._trained: dict[tuple[int, int], Model | None] = {}

    def forecast(self, known: int, slots: range, homes: slice = slice(None)) -> Forecast:
        """Samples of coming slots from the rows before `known`. Raises DataError when less than a day is known.

        Empirical quantiles are whole numbers throughout, so they are the same on every machine; another forecaster
        moves their samples to its own quantiles. Until it has the history that it needs the empirical ones stand.
        """
        length = self._clock.length
        begin = max(known - SAMPLE_DAYS * DAY // length, 0)  # older readings are not looked at
        first = self._first_slot + begin * length
        samples = forecast(self._net_load_wh[begin:known, homes], first, length, slots)
        if self.name == EMPIRICAL:
            return samples
        offset = (slots[0] - self._first_slot) // length - known
        horizon = offset + len(slots)
        told = self._told(known, horizon, homes)
        if told is None:
            return samples
        return shuffled(Quantiles(told.values[offset:], told.mean[offset:]), samples)

    def _by_own_model(self, known: int, horizon: int, homes: slice) -> Quantiles | None:
        """Quantiles by the forecaster alone, untested: None until it has the history that it needs."""
        model = self._model(known, self._learnt_horizon(horizon))
        if model is None:
            return None
        history = self._history(known, RECENT_DAYS, homes)
        return model.predict(history, horizon).checked(horizon, history.values.shape[1])

    def _learnt_horizon(self, horizon: int) -> int:
        """Horizon that a model is trained for: a few slots as they are, more than a quarter of a day as whole days."""
        per_day = DAY // self._clock.length
        return horizon if horizon <= per_day // 4 else -(-horizon // per_day) * per_day

    def _model(self, known: int, horizon: int) -> Model | None:
        """What was learnt by the last training before `known`, or None where the history was too short."""
        stretch = RETRAIN_DAYS * DAY // self._clock.length
        trained_at = known - (known - self.start) % stretch if known >= self.start else known
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

    def _history(self, known: int, days: int | None, homes: slice) -> History:
        """Rows before `known` as a history of floats, at most so many days."""
        begin = 0 if days is None else max(known - days * DAY // self._clock.length, 0)
        first = self._first_slot + begin * self._clock.length
        return History(first, self._clock.length, self._net_load_wh[begin:known, homes].astype(np.float64))
