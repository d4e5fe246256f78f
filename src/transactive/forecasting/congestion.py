"""How likely each line passes its limit: the forecast's samples of all members, added up line by line.

Quantiles of members don't add up, samples do: sample k of every member is the same day of the past, so what goes
together, such as the sun on all roofs, stays together on the line. A month of days is few, so each sample stands for a
normal bell around it, as wide as the normal reference rule says: 1.06 σ n^(−1/5) for n samples of standard deviation σ.

Plans follow from these figures, so they are the same on every machine: sums are of whole numbers, and what is not whole
is one operation of IEEE 754 on each number by itself (×, ÷, √), which has one result only.

Source: B. W. Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 3.4.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from transactive.core.congestion import Congestion
from transactive.core.units import PPM, IntArray
from transactive.forecasting.series import FloatArray

TAIL = 20
"""One of so many points lies below the interval, and one above it."""
REFERENCE = 1.06
HALF_BELL = (
    0.06270677794321383, 0.18911842627279238, 0.31863936396437514, 0.4537621901698796, 0.5977601260424784,
    0.7554150263604693, 0.9345892910734798, 1.1503493803760079, 1.439531470938456, 1.9599639845400536,
)  # fmt: skip
"""Upper half of twenty points that stand for a bell, equally likely: normal quantiles of (k + ½) / 20."""
BELL = np.array((*(-point for point in reversed(HALF_BELL)), *HALF_BELL))
MOST_OFF_WH = 1 << 24
"""Flows farther from their mean [Wh] are squared in whole numbers of any length."""


def congestion(slots: IntArray, flow_wh: IntArray, limit_wh: IntArray, back_wh: IntArray) -> Congestion:
    """Sum up samples of flows [Wh], (slots, samples, lines), against the limits each way, (lines,).

    Quantiles lie between the points as Hazen's rule places them: point k of n, from the lowest, at (k − ½) / n.
    """
    samples, lines = flow_wh.shape[1:]
    width = REFERENCE * deviation(flow_wh) * shrinking(samples)
    spread = flow_wh[:, :, None] + (width[:, None, None] * BELL[:, None])
    points = np.sort(np.rint(spread).astype(np.int64).reshape(len(flow_wh), -1, lines), axis=1)
    below = points.shape[1] // TAIL  # so many points lie below the interval, and its ends halfway to the next
    low, high = (points[:, place - 1] + points[:, place] for place in (below, -below))
    over, back = points - limit_wh, -points - back_wh
    return Congestion(
        slots=slots,
        expected_wh=np.rint(flow_wh.sum(axis=1) / samples).astype(np.int64),
        low_wh=low // 2,
        high_wh=-(-high // 2),
        over_ppm=(over > 0).sum(axis=1) * PPM // points.shape[1],
        back_ppm=(back > 0).sum(axis=1) * PPM // points.shape[1],
        beyond_wh=(np.maximum(over, 0) + np.maximum(back, 0)).sum(axis=1) // points.shape[1],
    )


def deviation(flow_wh: IntArray) -> FloatArray:
    """Standard deviation of the samples [Wh], (slots, lines), of flows (slots, samples, lines)."""
    samples = flow_wh.shape[1]
    off = flow_wh - flow_wh.sum(axis=1, keepdims=True) // samples
    if np.abs(off).max(initial=0) >= MOST_OFF_WH:
        off = off.astype(object)
    squares = samples * (off * off).sum(axis=1) - off.sum(axis=1) ** 2
    found: FloatArray = np.sqrt(squares.astype(np.float64)) / samples
    return found


@lru_cache(maxsize=64)
def shrinking(samples: int) -> float:
    """n^(−1/5) to fifteen digits, by whole numbers."""
    digits = 10**15
    wanted, low, high = digits**5 // samples, 0, digits
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**5 <= wanted else (low, middle - 1)
    return low / digits
