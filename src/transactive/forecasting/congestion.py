"""How likely each line passes its limit: the forecast's samples of all members, added up line by line.

Quantiles of members don't add up, samples do: sample k of every member is the same day of the past, so what goes
together, such as the sun on all roofs, stays together on the line. A month of days is few, so each sample stands for a
normal bell around it, as wide as the normal reference rule says: 1.06 σ n^(−1/5) for n samples of standard deviation σ.

Source: B. W. Silverman, Density Estimation for Statistics and Data Analysis, 1986, section 3.4.
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np

from transactive.core.congestion import Congestion
from transactive.core.units import PPM, IntArray

LEVELS = (0.05, 0.95)
"""Quantiles at the ends of the interval."""
REFERENCE = 1.06
POINTS = 20
"""Points that stand for a bell, equally likely."""


def congestion(slots: IntArray, flow_wh: IntArray, limit_wh: IntArray, back_wh: IntArray) -> Congestion:
    """Sum up samples of flows [Wh], (slots, samples, lines), against the limits each way, (lines,).

    Quantiles lie between the points as Hazen's rule places them: point k of n, from the lowest, at (k − ½) / n.
    """
    samples, lines = flow_wh.shape[1:]
    bell = np.array([NormalDist().inv_cdf((k + 0.5) / POINTS) for k in range(POINTS)])
    width = REFERENCE * flow_wh.std(axis=1, keepdims=True) * samples**-0.2
    spread = flow_wh[:, :, None] + (width[:, :, None] * bell[:, None])
    points = np.rint(spread).astype(np.int64).reshape(len(flow_wh), -1, lines)
    low, high = np.quantile(points, LEVELS, axis=1, method="hazen")
    over, back = points - limit_wh, -points - back_wh
    return Congestion(
        slots=slots,
        expected_wh=np.rint(flow_wh.mean(axis=1)).astype(np.int64),
        low_wh=np.floor(low).astype(np.int64),
        high_wh=np.ceil(high).astype(np.int64),
        over_ppm=(over > 0).sum(axis=1) * PPM // points.shape[1],
        back_ppm=(back > 0).sum(axis=1) * PPM // points.shape[1],
        beyond_wh=(np.maximum(over, 0) + np.maximum(back, 0)).sum(axis=1) // points.shape[1],
    )
