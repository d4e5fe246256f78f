"""All meters at once: what changes everywhere in one slot or day is a fault of who collects, not of the homes."""

from __future__ import annotations

import numpy as np

from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility.days import LEAST_DAYS, PAST_DAYS, FloatArray

MEMBERS = 4
"""Fewest meters of which 'all' says something."""
POWERS = 1.2
"""Powers of two by which half of the meters must differ from their own past on one day."""
NEARLY_ALL = 0.9
"""Part of the meters that counted before and do not now, or repeat themselves."""


def shifted_days(level: FloatArray) -> BoolArray:
    """Days on which half of the meters count more, or less, than on their days before by one factor, (days,).

    level: of each day and meter, (days, members), NaN where it is not known.
    """
    found = np.zeros(len(level), bool)
    for day in range(LEAST_DAYS, len(level)):
        before = slice(max(0, day - PAST_DAYS), day)
        past = level[before][~found[before]]
        there = ((~np.isnan(past)).sum(axis=0) >= LEAST_DAYS) & ~np.isnan(level[day])
        if there.sum() >= MEMBERS:
            shift = level[day][there] - _median(past[:, there])
            found[day] = abs(float(np.median(shift))) > POWERS
    return found


def _median(columns: FloatArray) -> FloatArray:
    """Median of each column's numbers that are not NaN, each with one at least; numpy's own goes the long way round."""
    ordered, count = np.sort(columns, axis=0), (~np.isnan(columns)).sum(axis=0)  # NaN come last
    low, high = (np.take_along_axis(ordered, place[None], axis=0)[0] for place in ((count - 1) // 2, count // 2))
    middle: FloatArray = (low + high) / 2
    return middle


def silent_or_repeated(wh: IntArray, known: BoolArray) -> BoolArray:
    """Slots in which nearly all meters that count suddenly show nothing, or all their numbers of before, (slots,)."""
    found = np.zeros(len(wh), bool)
    counts = (wh > 0) & known
    usually = np.array(counts.sum(axis=0) >= NEARLY_ALL * np.maximum(known.sum(axis=0), 1))
    if usually.sum() < MEMBERS:
        return found
    there = known[:, usually]
    of_all = np.maximum(there.sum(axis=1), 1)
    nothing = ((wh[:, usually] == 0) & there).sum(axis=1) >= NEARLY_ALL * of_all
    again = np.zeros(len(wh), bool)
    again[1:] = (wh[1:, usually] == wh[:-1, usually]).sum(axis=1) >= NEARLY_ALL * of_all[1:]
    enough: BoolArray = there.sum(axis=1) >= MEMBERS
    missed: BoolArray = np.logical_and(nothing | again, enough)
    return missed
