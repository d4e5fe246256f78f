"""Expected carbon intensity of the grid: the mean of the same time of day over the last days."""

from __future__ import annotations

import numpy as np

from transactive.core.slots import DAY
from transactive.core.units import IntArray

CARBON_DAYS = 7
"""Days that the mean looks back."""


def intensity(past_g: IntArray, first_slot: int, length: int, slots: IntArray) -> IntArray:
    """Expected intensity of coming slots [g/kWh], (slots,), rounded down.

    past_g: intensity of known slots from `first_slot` on [g/kWh], one each `length` [s]. A time of day that is not
    known takes the mean of all, and 0 without any.
    """
    times = (first_slot + length * np.arange(len(past_g))) % DAY
    every = int(past_g.sum()) // max(len(past_g), 1)
    expected = []
    for time in np.asarray(slots) % DAY:
        same = past_g[times == time]
        expected.append(int(same.sum()) // len(same) if len(same) else every)
    return np.array(expected, np.int64)
