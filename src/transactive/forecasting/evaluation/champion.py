"""Champion against challengers: which forecasters, mixed, were best on earlier days.

Source: Caruana, Niculescu-Mizil, Crew, Ksikes, Ensemble selection from libraries of models, ICML 2004: begin with the
best one, then keep adding whichever helps most, the same again allowed. A mix is the mean of quantiles level by level
(Vincent, Psychological Review 19(4), 1912). The best trivial forecast is among the candidates, so on the days that
decide no champion is worse than it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from transactive.forecasting.evaluation.scores import mean, pinball
from transactive.forecasting.series import FloatArray, Quantiles

MOST = 6
"""Forecasts in a mix, repetitions counted."""
LEAST_GAIN = 0.001
"""Share of the loss that another forecast must save to be taken in."""

Mix: TypeAlias = dict[str, int]
"""How often each forecaster counts."""


def choose(candidates: Mapping[str, FloatArray], truth: FloatArray) -> Mix:
    """Mix with the least pinball loss on earlier days.

    candidates: quantiles of each forecaster, (origins, horizon, members, levels); truth (origins, horizon, members).
    """
    losses = {name: mean(pinball(values, truth)) for name, values in candidates.items()}
    best = min(losses, key=lambda name: losses[name])
    mix, loss, total = {best: 1}, losses[best], candidates[best].copy()
    for count in range(1, MOST):
        tried = {name: mean(pinball((total + values) / (count + 1), truth)) for name, values in candidates.items()}
        best = min(tried, key=lambda name: tried[name])
        if tried[best] > loss * (1 - LEAST_GAIN):
            break
        loss = tried[best]
        mix[best] = mix.get(best, 0) + 1
        total += candidates[best]
    return mix


def mixed(mix: Mix, forecasts: Mapping[str, Quantiles]) -> Quantiles:
    """Mean of forecasts, level by level, each as often as the mix says."""
    weight = sum(mix.values())

    def average(parts: Sequence[FloatArray]) -> FloatArray:
        total: FloatArray = np.sum(
            [part * count / weight for part, count in zip(parts, mix.values(), strict=True)], axis=0
        )
        return total

    return Quantiles(
        np.sort(average([forecasts[name].values for name in mix]), axis=-1),
        average([forecasts[name].mean for name in mix]),
    )
