"""What the bill of the coming days will be, with an interval that has held before.

The expectation is the mean daily bill of the last four weeks, carried on. How wrong that is, is learnt from the same
rule applied at earlier days, its error as a part of what a home's consumption costs without its own generation. The
interval takes the wider of what four of five errors of this home and four of five of all homes stayed within (split
conformal prediction; Lei et al., JASA 113, 2018): a home with a quiet past gets no narrower one than its neighbours.
A home that never earned over as many days is not told that it may: its interval ends at nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from transactive.core.units import IntArray

FloatArray = NDArray[np.float64]
DAYS = 28
"""Days whose mean is carried on."""
LEAST_DAYS = 7
"""Days of bills without which nothing is said."""
HOLDS = 0.8
"""Part of the bills that shall lie in the interval."""
LEAST_ORIGINS = 10
"""Earlier days that an interval needs."""


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Bills of the coming days [n¤], (members,): expected, and between which values four of five will lie."""

    mean_n: IntArray
    low_n: IntArray
    high_n: IntArray


def expected_bill(
    daily_n: IntArray, scale_n: IntArray, past_n: IntArray, past_scale_n: IntArray, days: int
) -> Expected | None:
    """Expect the bills of so many coming days; None where bills or past are too short.

    daily_n: bills of the days so far [n¤], (days, members), the newest last; scale_n: what the consumption of those
    days costs at the supplier's tariff. past_n, past_scale_n: a longer past in the same form from which the errors are
    learnt; it may be bills under another rule, since only their changes count.
    """
    errors = np.abs(_errors(past_n.astype(np.float64), past_scale_n.astype(np.float64), days))
    if len(errors) < LEAST_ORIGINS or len(daily_n) < LEAST_DAYS:
        return None
    mean = daily_n[-DAYS:].mean(axis=0) * days
    scale = scale_n[-DAYS:].mean(axis=0) * days
    width = scale * np.maximum(np.quantile(errors, HOLDS, axis=0), np.quantile(errors, HOLDS))
    low = np.where(_earned(past_n, days), mean - width, np.maximum(mean - width, np.minimum(mean, 0)))
    return Expected(*(column.astype(np.int64) for column in (mean, low, mean + width)))


def days_needed(days: int) -> int:
    """Days of readings without which the bill of so many coming days is not told."""
    return DAYS + days + LEAST_ORIGINS - 1


def _earned(past_n: IntArray, days: int) -> NDArray[np.bool_]:
    """Whether a home was owed money over some stretch of so many days, (members,)."""
    sums = np.concatenate((np.zeros((1, past_n.shape[1]), np.int64), past_n.cumsum(axis=0)))
    earned: NDArray[np.bool_] = np.any(sums[days:] < sums[:-days], axis=0)
    return earned


def _errors(past: FloatArray, scale: FloatArray, days: int) -> FloatArray:
    """Errors of the rule at earlier days, as parts of the scale, (origins, members)."""
    origins = np.arange(DAYS, len(past) - days + 1)
    start = np.zeros((1, past.shape[1]))
    sums, scales = (np.concatenate((start, series.cumsum(axis=0))) for series in (past, scale))
    carried = days / DAYS
    expected, size = ((total[origins] - total[origins - DAYS]) * carried for total in (sums, scales))
    errors: FloatArray = (sums[origins + days] - sums[origins] - expected) / np.maximum(size, 1)
    return errors
