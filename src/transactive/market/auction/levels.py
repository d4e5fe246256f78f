"""A grid for a book that brings none.

Mechanisms that only compare prices see ranks, so any int64 price clears, however far apart. Between neighbouring prices
one more level stands for all prices there: a book may balance only between them. Where it does, `balanced_price` finds
the same price as `uniform` on a grid of single µ¤/kWh. A mechanism that calculates with prices needs them as they are:
it gets an even grid on which all of them lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.book import MOST_TICKS


@dataclass(frozen=True, slots=True)
class Levelled:
    """Orders with prices on `grid`, and the price [µ¤/kWh] of each rank, rising; None where they are no ranks."""

    orders: Orders
    grid: PriceGrid
    levels: IntArray | None = None

    def price(self, on_grid: IntArray) -> IntArray:
        """Prices [µ¤/kWh] of prices on the grid."""
        return on_grid if self.levels is None else self.levels[on_grid]


def by_rank(orders: Orders) -> Levelled:
    """Rank the prices of a book, which holds at least one order."""
    distinct = np.unique(orders.price)
    levels = np.unique(np.concatenate([distinct, distinct[:-1] + 1]))
    ranked = replace(orders, price=np.searchsorted(levels, orders.price))
    return Levelled(ranked, PriceGrid(0, len(levels) - 1, 1), levels)


def as_they_are(orders: Orders) -> Levelled:
    """Lay a grid of single µ¤/kWh, or a coarser one that fits if it is wide, under a book of at least one order."""
    distinct = np.unique(orders.price)
    lowest, highest = int(distinct[0]), int(distinct[-1])
    if highest - lowest < MOST_TICKS:
        return Levelled(orders, PriceGrid(lowest, highest, 1))
    return Levelled(orders, PriceGrid(lowest, highest, int(np.gcd.reduce(np.diff(distinct.astype(object))))))


def balanced_price(orders: Orders, given: IntArray) -> int | None:
    """Lower middle [µ¤/kWh] of the prices at which a cleared book balances; None if there are none.

    Above every buy that got nothing and not above any that was served, likewise for sells; a book balances nowhere
    while an order is served in part.
    """
    served, none = given == orders.energy_wh, given == 0
    if not (served | none).all() or not served.any():
        return None
    buys, sells, price = orders.is_buy, ~orders.is_buy, orders.price
    low, high = int(price[sells & served].max()), int(price[buys & served].min())
    if (buys & none).any():
        low = max(low, int(price[buys & none].max()) + 1)
    if (sells & none).any():
        high = min(high, int(price[sells & none].min()) - 1)
    return (low + high) // 2 if low <= high else None
