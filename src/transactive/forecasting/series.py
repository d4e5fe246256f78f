"""What a forecaster may see: series that end when the forecast is issued, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from transactive.core.errors import require
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.calendar import Calendar

FloatArray: TypeAlias = NDArray[np.float64]

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Levels of the quantiles that every forecaster gives."""


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Everything that is known when a forecast is issued: at the end of the newest slot of `values`.

    first_slot: [Unix s]; length: of a slot [s]. values: (known, members), in the unit of the series, NaN where a
    reading is missing. ahead: what is known in advance, such as a weather forecast, (known + coming, columns), from
    `first_slot` on; no columns as a rule.
    """

    first_slot: int
    length: int
    values: FloatArray
    ahead: FloatArray = field(default_factory=lambda: np.empty((0, 0)))
    calendar: Calendar = field(default_factory=Calendar)

    @property
    def per_day(self) -> int:
        """Slots of a day."""
        return DAY // self.length

    @property
    def issued(self) -> int:
        """Time of issue [Unix s]."""
        return self.first_slot + len(self.values) * self.length

    def slots(self, horizon: int) -> IntArray:
        """Starts of the coming slots [Unix s]."""
        return self.issued + self.length * np.arange(horizon, dtype=np.int64)

    def last(self, days: int) -> History:
        """Leave out what is older than `days` days."""
        begin = max(len(self.values) - days * self.per_day, 0)
        ahead = self.ahead[begin:] if self.ahead.size else self.ahead
        first = self.first_slot + begin * self.length
        return History(first, self.length, self.values[begin:], ahead, self.calendar)

    def until(self, known: int, horizon: int) -> History:
        """Go back to when its first `known` slots were known, with what was known of the next `horizon` ones."""
        ahead = self.ahead[: known + horizon] if self.ahead.size else self.ahead
        return History(self.first_slot, self.length, self.values[:known], ahead, self.calendar)


@dataclass(frozen=True, slots=True, eq=False)
class Quantiles:
    """A forecast: values at `LEVELS`, (horizon, members, levels), never falling; and the mean, (horizon, members)."""

    values: FloatArray
    mean: FloatArray

    def checked(self, horizon: int, members: int) -> Quantiles:
        """Return the forecast if it has its shape, is finite and does not cross. Raises RuleBroken."""
        require(
            self.values.shape == (horizon, members, len(LEVELS)) and self.mean.shape == (horizon, members),
            "a forecast has a row for each coming slot and a column for each member",
        )
        require(bool(np.isfinite(self.values).all() and np.isfinite(self.mean).all()), "a forecast is finite")
        require(bool((np.diff(self.values, axis=2) >= 0).all()), "quantiles do not cross")
        return self


def in_order(values: FloatArray, mean: FloatArray, lowest: float) -> Quantiles:
    """A forecast of raw quantiles, sorted so that they do not cross, nothing below `lowest`.

    Sorting never makes the pinball loss larger: Chernozhukov, Fernández-Val, Galichon, Econometrica 78(3), 2010.
    """
    return Quantiles(np.sort(np.maximum(values, lowest), axis=-1), np.maximum(mean, lowest))


def lowest_of(history: History) -> float:
    """0 for a series that never went below it, such as energy of a register; else no bound."""
    return -np.inf if (history.values < 0).any() else 0.0
