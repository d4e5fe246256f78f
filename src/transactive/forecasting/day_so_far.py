"""Samples that know the day so far: the last days at the same hour, moved by how today differs from each of them.

A home that has used more in the last hours than it had by this time on a past day goes on to use more for a while, so
half of the difference is added to what followed on that day, fading by a tenth an hour. Clouds work by the part that
they leave: what a PV went on to generate on the past day is multiplied by how much more or less it has generated in the
last hours, fading likewise, and never beyond what the hour saw on any of the days by more than a twentieth.

Source of the idea: sampling paths of the past and correcting them at the time of issue, as in Makridakis, Wheelwright,
Hyndman, Forecasting, 3rd edition, 1998, on error correction. Numbers chosen on days before the ones that
docs/figures.md measures.
"""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, HOUR
from transactive.core.units import IntArray
from transactive.forecasting.series import FloatArray

SAMPLE_DAYS = 14
RECENT_HOURS = 3
"""How much of the day so far is compared [h]."""
LOAD_KEPT = 0.5
"""Part of a difference in load that is expected to last into the next slot."""
FADING = 0.9
"""What is left of a difference after each further hour."""
LARGEST_RATIO = 3.0
"""Most that a PV is expected to generate against a past day; the least is one part of as many."""
RATIO_WH_PER_HOUR = 70
"""Added to both sides of the ratio, so that a Wh at dawn says nothing [Wh/h]."""
ABOVE = 1.05
"""How far above all past days a PV may go."""


def samples_so_far(load_wh: IntArray, pv_wh: IntArray, length: int, issued: IntArray, horizon: int) -> IntArray:
    """Samples of net load of the coming slots [Wh], (horizon, samples, issues, members).

    load_wh, pv_wh: (slots, members), slots of `length` [s]; of each issue only the rows before it are looked at.
    issued: rows, (issues,). Sample k is made of the day k + 1 days before. Raises DataError where less than a day and
    `RECENT_HOURS` are known.
    """
    per_day, recent = DAY // length, RECENT_HOURS * HOUR // length
    days = min(SAMPLE_DAYS, (int(issued.min()) - recent) // per_day)
    if days < 1:
        raise DataError(
            f"a schedule needs {DAY // HOUR + RECENT_HOURS} hours of readings before its first slot at least"
        )
    ahead = np.arange(-recent, horizon)
    back = per_day * (np.maximum(ahead, 0)[:, None] // per_day + 1 + np.arange(days))
    then = issued + (ahead[:, None] - back)[:, :, None]  # rows, (recent + horizon, samples, issues)
    now = issued + np.arange(-recent, 0)[:, None, None]
    fading = FADING ** (np.arange(horizon) * length / HOUR)[:, None, None, None]
    net_load_wh = _load(load_wh[then], load_wh[now], recent, fading) - _pv(pv_wh[then], pv_wh[now], recent, fading)
    return np.rint(net_load_wh).astype(np.int64)


def _load(then_wh: IntArray, now_wh: IntArray, recent: int, fading: FloatArray) -> FloatArray:
    """Past days moved by the mean difference of the last hours."""
    difference = (now_wh - then_wh[:recent]).mean(axis=0)
    expected: FloatArray = np.maximum(then_wh[recent:] + LOAD_KEPT * fading * difference, 0)
    return expected


def _pv(then_wh: IntArray, now_wh: IntArray, recent: int, fading: FloatArray) -> FloatArray:
    """Past days multiplied by the ratio of the last hours."""
    least = RECENT_HOURS * RATIO_WH_PER_HOUR
    ratio = (now_wh.sum(axis=0) + least) / (then_wh[:recent].sum(axis=0) + least)
    expected = then_wh[recent:] * np.clip(ratio, 1 / LARGEST_RATIO, LARGEST_RATIO) ** fading
    highest = ABOVE * then_wh[recent:].max(axis=1, keepdims=True)
    bounded: FloatArray = np.minimum(expected, highest)
    return bounded
