"""What a home draws even when nothing happens in it."""

from __future__ import annotations

import numpy as np

from transactive.core.units import PPM, IntArray

DAYS = 28
"""Days that are looked at, the newest."""


def always_on_wh(consumption_wh: IntArray, per_day: int) -> IntArray:
    """Energy of a slot that is always drawn [Wh], (members,): the median over days of each day's lowest slot.

    consumption_wh: whole days up to now, (slots, members); the newest 28 days count. Half of all days go below it at
    some time, so it is 0 for a home that stands still at times. Our own definition; raises ValueError without a day.
    """
    days = len(consumption_wh) // per_day
    if not days:
        raise ValueError("always_on_wh needs a whole day")
    newest = consumption_wh[-min(days, DAYS) * per_day :]
    lowest = newest.reshape(-1, per_day, newest.shape[1]).min(axis=1)
    always_on: IntArray = np.median(lowest, axis=0).astype(np.int64)
    return always_on


def share_ppm(part_wh: IntArray, whole_wh: IntArray) -> IntArray:
    """Part of a whole [ppm], 0 of nothing; both (members,)."""
    share: IntArray = part_wh * PPM // np.maximum(whole_wh, 1)
    return share
