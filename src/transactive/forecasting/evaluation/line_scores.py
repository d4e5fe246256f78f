"""Scores of forecasts of lines: whether limits are passed, and flows lie in their interval, as often as was said.

Columns are (slots, lines). The reference is climatology, which always says how often a line passed its limit: here with
hindsight, of the very slots that are scored, and beside it one that knows the hour too. Both know more than a forecast
can.
"""

from __future__ import annotations

import numpy as np

from transactive.core.units import PPM, IntArray
from transactive.forecasting.series import FloatArray


def brier(said_ppm: IntArray | FloatArray, passed: IntArray) -> float:
    """Mean squared error of probabilities [ppm] of what came, 0 or 1.

    Source: G. W. Brier, Verification of forecasts expressed in terms of probability, Monthly Weather Rev. 78(1), 1950.
    """
    return float(np.mean((said_ppm / PPM - passed) ** 2))


def climatology(passed: IntArray) -> FloatArray:
    """How often each line passed its limit [ppm], in each slot the same."""
    often: FloatArray = np.broadcast_to(passed.mean(axis=0) * PPM, passed.shape)
    return often


def hourly_climatology(passed: IntArray, per_day: int) -> FloatArray:
    """How often each line passed its limit at the same time of the day [ppm]; the slots are consecutive."""
    often = np.empty(passed.shape)
    for time in range(per_day):
        often[time::per_day] = passed[time::per_day].mean(axis=0) * PPM if len(passed) > time else 0.0
    return often


def covered(flow_wh: IntArray, low_wh: IntArray, high_wh: IntArray) -> FloatArray:
    """Share of the slots in which each line's flow lay in its interval, (lines,)."""
    share: FloatArray = ((flow_wh >= low_wh) & (flow_wh <= high_wh)).mean(axis=0)
    return share
