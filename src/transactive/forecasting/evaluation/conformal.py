"""Rolling calibration: each member's own recent misses move its interval to where it should lie.

A forecaster that covers 84 % on average may cover one home at 52 %. So the lower and upper quantile of each member move
after every forecast, by the share of slots that fell below it less the share that should have:

    shift ← shift + STEP (1 + |shift|) (level − share below),   quantile + shift × spread

With it the share below settles at its level for any series, exchangeable or not; the spread (distance between the
outer quantiles) lets a shift count more where the forecast itself is less sure, and a forecast that is far
off moves faster. The inner quantiles stay: moving them cost pinball loss on the days used for tuning.

Source: quantile tracking, Angelopoulos, Candès, Tibshirani, Conformal PID control, NeurIPS 2023, after Gibbs and
Candès, Adaptive conformal inference under distribution shift, NeurIPS 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.forecasting.series import LEVELS, FloatArray, Quantiles

STEP = 0.3
"""How far one forecast that misses altogether moves a quantile, in spreads."""
OUTER = (0, len(LEVELS) - 1)


@dataclass(slots=True)
class Tracker:
    """Shifts of the outer quantiles of all members, (2, members), in spreads; step: as STEP, for these forecasts."""

    shift: FloatArray
    step: float = STEP

    @classmethod
    def of(cls, members: int, step: float = STEP) -> Tracker:
        """A tracker that knows of no miss yet."""
        return cls(np.zeros((len(OUTER), members)), step)

    def moved(self, forecast: Quantiles, lowest: float) -> Quantiles:
        """The forecast with its outer quantiles moved, not beyond the inner ones and nothing below `lowest`."""
        values = forecast.values.copy()
        low, *_, high = np.moveaxis(forecast.values, 2, 0)
        width = high - low
        values[:, :, 0] = np.clip(low + self.shift[0] * width, lowest, values[:, :, 1])
        values[:, :, -1] = np.maximum(high + self.shift[1] * width, values[:, :, -2])
        return Quantiles(values, forecast.mean)

    def learn(self, moved: Quantiles, truth: FloatArray) -> None:
        """Learn from what came, (horizon, members).

        NaN, and slots that were forecast as certain, such as PV at night, do not count.
        """
        counts = np.isfinite(truth) & (moved.values[:, :, -1] > moved.values[:, :, 0])
        slots = counts.sum(axis=0)
        for side, level in enumerate(OUTER):
            below = (counts & (truth < moved.values[:, :, level])).sum(axis=0)
            error = np.where(slots > 0, LEVELS[level] - below / np.maximum(slots, 1), 0.0)
            self.shift[side] += self.step * (1 + np.abs(self.shift[side])) * error
        self.shift[0] = np.minimum(self.shift[0], 1.0)  # a whole spread reaches the other side
        self.shift[1] = np.maximum(self.shift[1], -1.0)
