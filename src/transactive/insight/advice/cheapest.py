"""When energy is expected to be cheapest in the coming day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.units import IntArray

DAYS = 14
"""Days of prices that an expectation rests on, the newest."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of coming slots: its first, how many before the end, and mean price of the stretch [µ¤/kWh]."""

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
    """The cheapest stretch of so many slots, or the dearest; the first one of several.

    prices: of consecutive coming slots [µ¤/kWh], at least so many.
    """
    sums = np.convolve(prices, np.ones(slots, np.int64), "valid")
    first = int(sums.argmax() if dearest else sums.argmin())
    return Window(first, slots, int(sums[first]) // slots)
