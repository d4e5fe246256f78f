"""Doubts that numbers raise by themselves: fault codes, registers, numbers that stand still, another unit."""

from __future__ import annotations

import numpy as np

from transactive.core.slots import DAY, HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility.days import LEAST_DAYS, MeterDays

CODES = (
    32_767, 32_768, 65_534, 65_535, 99_999, 999_999, 9_999_999, 16_777_215, 99_999_999, 999_999_999,
    2**31 - 1, 2**31, 2**32 - 1,
)  # fmt: skip
"""Largest numbers of registers of 15 to 32 bits and of 5 to 9 digits: what meters send in place of a reading."""
CODE_UNITS = (1, 10, 100, 1_000)
"""Wh of one unit of such a number: Wh, or kWh with so many decimals fewer."""
RISING_HOURS, RISING_LEAST = 16, 8
"""Hours over which a register rises without a fall, and fewest rises in them; one in three of the slots at least."""
STUCK_HOURS, STUCK_LEAST = 6, 7
"""A number stands still if it comes for so many hours on end, and in so many slots."""

SLIPS = (4, 1_000)
"""Factors by which units slip: power of a quarter hour read as its energy; kWh and Wh."""
NUMBERS_OF_A_UNIT = 10
"""Different numbers of a day that must share a factor to show its unit."""


def codes(wh: IntArray) -> BoolArray:
    """Readings that are a number which meters send for a fault."""
    found: BoolArray = np.isin(wh, [code * unit for code in CODES for unit in CODE_UNITS])
    return found


def rising(wh: IntArray, known: BoolArray, length: int) -> BoolArray:
    """Readings of stretches, (slots, members), that never fall and rise as a register does, for most of a day."""
    found = np.zeros(wh.shape, bool)
    least = RISING_HOURS * HOUR // length
    both = known[1:] & known[:-1]
    falls = ~both | (wh[1:] < wh[:-1])
    for member in range(wh.shape[1]):
        ends = np.flatnonzero(np.concatenate(([True], falls[:, member], [True])))
        for at in np.flatnonzero(np.diff(ends) > least).tolist():
            begin, end = int(ends[at]), int(ends[at + 1])
            rises = begin + np.flatnonzero(np.diff(wh[begin:end, member]))
            if len(rises) >= RISING_LEAST and least <= rises[-1] - rises[0] <= 3 * len(rises):
                found[begin:end, member] = True
    return found


def stuck(wh: IntArray, known: BoolArray, length: int) -> BoolArray:
    """Readings, (slots, members), of stretches in which one number above zero comes again and again.

    A meter that always did so, or that nothing is known of for a week before, is constant, not stuck.
    """
    found, least = np.zeros(wh.shape, bool), max(STUCK_HOURS * HOUR // length, STUCK_LEAST)
    same = np.zeros(wh.shape, bool)
    same[1:] = (wh[1:] == wh[:-1]) & (wh[1:] > 0) & known[1:] & known[:-1]
    for member in np.flatnonzero(same.sum(axis=0) >= least - 1).tolist():
        begins = np.flatnonzero(~same[:, member])
        lengths = np.diff(begins, append=len(wh))
        longest = 1
        for at in np.flatnonzero(lengths > 1).tolist():
            begin, run = int(begins[at]), int(lengths[at])
            if run >= least and run > longest and begin * length >= LEAST_DAYS * DAY:
                found[begin : begin + run, member] = True
            else:
                longest = max(longest, run)
    return found


def common_factors(days: MeterDays) -> IntArray:
    """Largest whole number of which all readings of a day are multiples, (days, members); 0 where too few differ."""
    wh = np.where(days.known, days.wh, 0)
    factors: IntArray = np.gcd.reduce(wh, axis=1)
    ordered = np.sort(wh, axis=1)
    different = (np.diff(ordered, axis=1) > 0).sum(axis=1) + (ordered[:, 0] > 0)
    return np.where(different >= NUMBERS_OF_A_UNIT, factors, 0)


def slipped(factor: IntArray, before: IntArray) -> BoolArray:
    """Whether the numbers of a day share a factor by which units slip, and those before did not."""
    ratio = factor // np.maximum(before, 1)
    found: BoolArray = (factor > 0) & (before > 0) & np.isin(ratio, SLIPS)
    return found
