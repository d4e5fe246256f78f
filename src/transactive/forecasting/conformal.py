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
    """Shifts of the outer quantiles of all members, (2, members), in spreads."""

    shift: FloatArray

    @classmethod
    def of(cls, members: int) -> Tracker:
        """A tracker that knows of no miss yet."""
        return cls(np.zeros((len(OUTER), members)))

    def moved(self, forecast: Quantiles, lowest: float) -> Quantiles:
        """The forecast with its outer quantiles moved, nothing below `lowest`."""
        values = forecast.values.copy()
        width = values[:, :, -1] - values[:, :, 0]
        for side, level in enumerate(OUTER):
            values[:, :, level] = np.maximum(values[:, :, level] + self.shift[side] * width, lowest)
        return Quantiles(np.sort(values, axis=2), forecast.mean)

    def learn(self, moved: Quantiles, truth: FloatArray) -> None:
        """Learn from what came, (horizon, members).

        NaN, and slots that were forecast as certain, such as PV at night, do not count.
        """
        counts = np.isfinite(truth) & (moved.values[:, :, -1] > moved.values[:, :, 0])
        slots = counts.sum(axis=0)
        for side, level in enumerate(OUTER):
            below = (counts & (truth < moved.values[:, :, level])).sum(axis=0)
            error = np.where(slots > 0, LEVELS[level] - below / np.maximum(slots, 1), 0.0)
            self.shift[side] += STEP * (1 + np.abs(self.shift[side])) * error
