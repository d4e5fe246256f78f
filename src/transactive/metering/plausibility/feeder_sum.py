"""Meters against the feeder: together they cannot have taken more than the transformer gave, as it was measured."""

from __future__ import annotations

import numpy as np

from transactive.core.slots import DAY, HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility.days import LEAST_DAYS, PAST_DAYS

TIMES_USUAL = 3
"""Meters exceed the feeder if they do by so many times what they usually differ by."""
LEAST_W = 500
"""What meters and feeder may differ by anyway [W]."""
MOST_LEFT = 2
"""Meters are doubted, those that count most more than usual first, until no more than a part of so many is left."""


def beyond_feeder(net_wh: IntArray, known: BoolArray, feeder_wh: IntArray, length: int) -> BoolArray:
    """Readings that explain why meters exceed the feeder, (slots, members).

    net_wh: what members took less what they gave. Of each slot in which the sum exceeds the feeder by far more than in
    the four weeks before, the meters that count so much more than at that time of the days before.
    """
    found, per_day = np.zeros(net_wh.shape, bool), DAY // length
    whole: BoolArray = np.logical_and.reduce(known, axis=1)
    over = np.where(whole, net_wh.sum(axis=1) - feeder_wh, 0)
    least = LEAST_W * length // HOUR
    for slot in np.flatnonzero(whole & (over > least)).tolist():
        past = slice(max(0, slot - PAST_DAYS * per_day), slot)
        if slot < LEAST_DAYS * per_day or not whole[past].any():
            continue
        fine = whole[past] & ~found[past].any(axis=1)
        before = np.sort(np.abs(over[past][fine]))
        usual = int(before[len(before) * 19 // 20]) if len(before) else 0
        if over[slot] <= TIMES_USUAL * usual:
            continue
        same_time = net_wh[slot % per_day : slot : per_day][-LEAST_DAYS:]
        more = net_wh[slot] - np.sort(same_time, axis=0)[len(same_time) // 2]
        left = over[slot] - usual
        for member in np.argsort(-more, kind="stable").tolist():
            if left * MOST_LEFT <= over[slot] - usual or more[member] <= 0:
                break
            found[slot, member] = True
            left -= more[member]
    return found
