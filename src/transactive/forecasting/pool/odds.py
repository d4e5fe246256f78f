"""Prices of shares as a forecast: what members expect together, as one more forecaster among others."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.errors import InputError
from transactive.forecasting.series import LEVELS, FloatArray


def quantiles_of(bounds: Sequence[int], prices: Sequence[int]) -> FloatArray:
    """Quantiles of a total [Wh], (levels,), that the prices of its outcomes say; bounds rise [Wh], prices in any unit.

    Between two bounds the total is taken to lie anywhere alike. The outcomes at the ends have no end: they are taken to
    be as wide as the one beside them, with a single bound as wide as that bound, and not below zero. So tails that
    nobody could ask about are told shorter than they may be. Raises InputError without a price for each outcome.
    """
    if not bounds or len(prices) != len(bounds) + 1 or sum(prices) <= 0 or min(prices) < 0:
        raise InputError(f"{len(bounds)} bounds divide {len(bounds) + 1} outcomes, each with a price; give these")
    steps = np.diff(np.array(bounds, np.float64))
    first, last = (steps[0], steps[-1]) if len(steps) else (float(bounds[0]),) * 2
    edges = np.array([max(bounds[0] - first, 0.0), *bounds, bounds[-1] + last], np.float64)
    reached = np.concatenate([[0.0], np.cumsum(np.array(prices, np.float64)) / sum(prices)])
    found: FloatArray = np.interp(np.array(LEVELS), reached, edges)
    return found
