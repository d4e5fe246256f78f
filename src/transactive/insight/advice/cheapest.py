"""When energy is expected to be cheapest in the coming day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray

DAYS = 14
"""Days of prices that an expectation rests on, the newest."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a day's slots: its first, how many, going on from midnight if it is longer, mean price [µ¤/kWh]."""

    first: int
    slots: int
    price: int


def expected_prices(paid: IntArray, per_day: int, count: int) -> IntArray:
    """Price expected in each of the `count` coming slots [µ¤/kWh], (count,).

    paid: what a Wh cost in past slots, the newest last, (slots,), at least a day. Each coming slot is expected to cost
    the median of the same slot of the last two weeks' days.
    """
    days = min(len(paid) // per_day, DAYS)
    by_day = paid[len(paid) - days * per_day :].reshape(days, per_day)
    usual = np.median(by_day, axis=0).astype(np.int64)
    expected: IntArray = np.resize(usual, count)
    return expected


def window(prices: IntArray, slots: int, *, dearest: bool = False) -> Window:
    """The cheapest stretch of so many slots of a day that comes again and again, or the dearest; the first of several.

    prices: of the slots of a usual day [µ¤/kWh], at least so many. A stretch may pass midnight, so that it is the same
    wherever the day is said to begin.
    """
    sums = np.convolve(np.concatenate((prices, prices[: slots - 1])), np.ones(slots, np.int64), "valid")
    first = int(sums.argmax() if dearest else sums.argmin())
    return Window(first, slots, int(sums[first]) // slots)
