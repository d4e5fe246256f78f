"""Meters against the feeder: together they took what the transformer gave, as it was measured, but for losses."""

from __future__ import annotations

import numpy as np

from transactive.core.slots import DAY, HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility.days import LEAST_DAYS, PAST_DAYS, MeterDays
from transactive.metering.plausibility.numbers import SLIPS

TIMES_USUAL = 3
"""Meters exceed the feeder if they do by so many times what they usually differ by."""
LEAST_W = 500
"""What meters and feeder may differ by anyway [W]."""
MOST_LEFT = 2
"""Meters are doubted, those that count most more than usual first, until no more than a part of so many is left."""
LEAST_MISSED_W = 40
"""What meters may miss of the feeder on a day anyway, on average [W]."""
FAR_BELOW = 50
"""A day in thousandths is lower by this than any of the past."""


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


def short_of_feeder(
    registers: tuple[IntArray, IntArray], known: BoolArray, feeder_wh: IntArray, first: int, length: int
) -> tuple[BoolArray, BoolArray]:
    """Days of one meter's register, taken and given, that a feeder shows to be in a smaller unit, (slots, members).

    registers: what members took and what they gave. A day is found if all meters miss far more of the feeder than on
    the four weeks before, and one meter times a factor by which units slip explains the most of it, slot by slot.
    """
    taken, given = (MeterDays.of(first, length, wh, known) for wh in registers)
    feeder = MeterDays.of(first, length, feeder_wh[:, None], np.ones((len(feeder_wh), 1), bool))
    missed = feeder.wh[..., 0] - (taken.wh - given.wh).sum(axis=2)  # (days, slots a day)
    whole: BoolArray = np.logical_and.reduce(taken.known & feeder.known, axis=(1, 2))
    found = np.zeros((2, *taken.wh.shape), bool)
    least = LEAST_MISSED_W * DAY // HOUR
    for day in np.flatnonzero(whole).tolist():
        past = np.arange(max(0, day - PAST_DAYS), day)
        past = past[whole[past] & ~found[:, past].any(axis=(0, 2, 3))]
        if len(past) < LEAST_DAYS:
            continue
        usual = int(np.median(missed[past]))
        before = np.sort(np.abs((missed[past] - usual).sum(axis=1)))
        missing = missed[day] - usual
        if abs(missing.sum()) <= TIMES_USUAL * int(before[len(before) * 19 // 20]) + least:
            continue
        register, member = _explains(missing, (taken.wh, given.wh), day, past)
        if member is not None:
            found[register, day, :, member] = True
    return taken.flat(found[0]), taken.flat(found[1])


def _explains(
    missing: IntArray, registers: tuple[IntArray, IntArray], day: int, past: IntArray
) -> tuple[int, int | None]:
    """Register and meter whose day in a smaller unit explains most of what is missing [Wh], (slots,); None if none."""
    best = int(np.abs(missing).sum() - abs(missing.sum()) // MOST_LEFT)
    who: tuple[int, int | None] = 0, None
    for register, (sign, wh) in enumerate(zip((1, -1), registers, strict=True)):
        lowest = wh[past].sum(axis=1).min(axis=0)
        for factor in SLIPS:
            rest = sign * missing[:, None] - (factor - 1) * wh[day]  # a fraction of the unit was cut off
            left = np.where(rest < 0, -rest, np.maximum(rest - factor, 0)).sum(axis=0)
            low = wh[day].sum(axis=0) * FAR_BELOW < lowest if factor > FAR_BELOW else wh[day].any(axis=0)
            possible = np.where(low, left, best)
            if len(possible) and possible.min() < best:
                best, who = int(possible.min()), (register, int(possible.argmin()))
    return who
