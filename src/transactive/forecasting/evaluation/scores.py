"""Scores of forecasts, and whether one is better than another by more than luck.

Forecasts are (origins, horizon, members, levels), truth is (origins, horizon, members), NaN where nothing was measured.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from transactive.forecasting.series import LEVELS, FloatArray

MEDIAN = LEVELS.index(0.5)
FINE = tuple(k / 20 for k in range(1, 20))
"""Levels over which a CRPS is taken."""
LEAST_DAYS = 3
"""Fewer days prove nothing."""


def pinball(values: FloatArray, truth: FloatArray) -> FloatArray:
    """Pinball loss, mean over the levels, (origins, horizon, members).

    Source: Koenker and Bassett, Regression quantiles, Econometrica 46(1), 1978.
    """
    levels = np.array(LEVELS)
    miss = truth[..., None] - values
    loss: FloatArray = np.maximum(levels * miss, (levels - 1) * miss).mean(axis=-1)
    return loss


def crps(values: FloatArray, truth: FloatArray) -> FloatArray:
    """Continuous ranked probability score, (origins, horizon, members), of quantiles with straight lines between them.

    It is twice the pinball loss over all levels: here the mean of nineteen. Source: Gneiting, Raftery, J. American
    Statistical Association 102(477), 2007; by quantiles, Laio, Tamea, Hydrology and Earth System Sciences 11(4), 2007.
    """
    score = np.zeros(truth.shape)
    for level in FINE:
        place = max(sum(known < level for known in LEVELS) - 1, 0)
        low, high = LEVELS[place], LEVELS[place + 1]
        at = values[..., place] + (values[..., place + 1] - values[..., place]) * ((level - low) / (high - low))
        miss = truth - at
        score += np.maximum(level * miss, (level - 1) * miss)
    return 2 * score / len(FINE)


def absolute(point: FloatArray, truth: FloatArray) -> FloatArray:
    """Absolute error of a point forecast, in the shape of the truth."""
    error: FloatArray = np.abs(truth - point)
    return error


def coverage(values: FloatArray, truth: FloatArray) -> FloatArray:
    """Share of the slots inside the outer quantiles, (members,); NaN for a member without any.

    Slots that were forecast as certain and came so, such as PV at night, do not count.
    """
    inside = (truth >= values[..., 0]) & (truth <= values[..., -1])
    certain = (values[..., 0] == values[..., -1]) & inside
    counts = np.isfinite(truth) & ~certain
    slots = counts.sum(axis=(0, 1))
    return np.where(slots > 0, (inside & counts).sum(axis=(0, 1)) / np.maximum(slots, 1), np.nan)


def naive_scale(values: FloatArray, per_day: int) -> FloatArray:
    """Mean absolute difference from a day before, (members,): what MASE divides by, of the days before the test.

    Source: Hyndman and Koehler, Another look at measures of forecast accuracy, Int. J. Forecasting 22(4), 2006.
    """
    change = np.abs(values[per_day:] - values[:-per_day])
    there = np.isfinite(change)
    scale: FloatArray = np.where(there, change, 0.0).sum(axis=0) / np.maximum(there.sum(axis=0), 1)
    return scale


def mean(loss: FloatArray) -> float:
    """Mean over all that was measured."""
    return float(np.nanmean(loss))


def daily(loss: FloatArray, days: NDArray[np.int64]) -> FloatArray:
    """Mean loss of each day, (days,); `days` tells the day of each origin."""
    rows = loss.reshape(len(loss), -1)
    there = np.isfinite(rows)
    total, count = np.where(there, rows, 0.0).sum(axis=1), there.sum(axis=1)
    _, place = np.unique(days, return_inverse=True)
    sums, counts = np.bincount(place, total), np.bincount(place, count)
    losses: FloatArray = sums[counts > 0] / counts[counts > 0]
    return losses


def diebold_mariano(loss: FloatArray, other: FloatArray) -> tuple[float, float]:
    """Statistic and two-sided p-value of equal daily losses, (days,); below 0 the first forecast is the better one.

    The variance of the mean difference counts autocovariances up to lag ⌊days^(1/3)⌋ with Bartlett weights (Newey and
    West, Econometrica 55(3), 1987). Source: Diebold and Mariano, J. Business & Economic Statistics 13(3), 1995;
    compared with Student's t, as Harvey, Leybourne, Newbold, Int. J. Forecasting 13(2), 1997, advise.
    """
    difference = loss - other
    days = len(difference)
    if days < LEAST_DAYS:
        return 0.0, 1.0
    centred = difference - difference.mean()
    lags = int(days ** (1 / 3))
    variance = float(centred @ centred) / days
    for lag in range(1, lags + 1):
        variance += 2 * (1 - lag / (lags + 1)) * float(centred[lag:] @ centred[:-lag]) / days
    if variance <= 0:
        return 0.0, 1.0
    statistic = float(difference.mean()) / (variance / days) ** 0.5
    return statistic, two_sided(statistic, days - 1)


def two_sided(statistic: float, freedom: int) -> float:
    """Probability of a value of Student's t at least as far from 0.

    With t = √freedom tan θ its density becomes a power of the cosine, integrated here from θ on by Gauss and Legendre;
    scipy would take a second to import for it.
    """
    begin, end = math.atan(abs(statistic) / freedom**0.5), math.pi / 2
    place, weight = np.polynomial.legendre.leggauss(64)
    angle = (end - begin) / 2 * place + (end + begin) / 2
    density = 2 * math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.pi**0.5
    return float(density * (end - begin) / 2 * weight @ np.cos(angle) ** (freedom - 1))
