"""The plain orders of one slot as a stack of steps by rising price: what they are worth for any energy they must give.

Beside plain orders a slot may hold orders that take or give whatever was decided: then the plain ones together have to
give the difference f [Wh], negative where they take. Walking up the stack from the state in which every buy is served
and no sell, each step gives up its energy: a sell begins to give, a buy goes without. So

    worth(f) = value of all buys − the price of each Wh walked over          concave, steps of whole Wh

and the price at f is that of the step that f lies in. At equal prices sells come first: the largest volume of those
with the same welfare. With f = 0 this is the uniform price. Beyond its ends the stack goes on at a price that nothing
outweighs, so that what cannot be balanced is never chosen. Python's whole numbers: no product is too large.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate

import numpy as np

from transactive.core.tables import Orders
from transactive.core.units import IntArray
from transactive.market.auction.allocation import by_largest_remainder

Interval = tuple[int | None, int | None]
"""Lowest and highest price [µ¤/kWh]; None where nothing bounds it."""


class Stack:
    """Stack of a slot's plain orders; `beyond`: price of a Wh outside it [µ¤/kWh]."""

    def __init__(self, orders: Orders, beyond: int) -> None:
        self.orders, self.beyond = orders, beyond
        rising = np.lexsort((orders.is_buy, orders.price))
        price, is_buy = orders.price[rising], orders.is_buy[rising]
        begins = np.ones(len(rising), np.bool_)
        begins[1:] = (price[1:] != price[:-1]) | (is_buy[1:] != is_buy[:-1])
        self._step = np.empty(len(rising), np.int64)
        self._step[rising] = np.cumsum(begins) - 1
        wh = np.zeros(int(begins.sum()), np.int64)
        np.add.at(wh, self._step, orders.energy_wh)
        self.price: list[int] = price[begins].tolist()
        self.is_buy: list[bool] = is_buy[begins].tolist()
        self.wh: list[int] = wh.tolist()
        steps = list(zip(self.price, self.is_buy, self.wh, strict=True))
        demand = sum(energy for _, buy, energy in steps if buy)
        self.reach = list(accumulate(self.wh, initial=-demand))
        self._cost = list(accumulate((limit * energy for limit, _, energy in steps), initial=0))
        self._all_bought: int = sum(limit * energy for limit, buy, energy in steps if buy)

    def worth(self, given: int) -> int:
        """Value to the buyers less cost to the sellers [n¤] when the plain orders give so much [Wh]."""
        first, last = self.reach[0], self.reach[-1]
        inside = min(max(given, first), last)
        step = bisect_right(self.reach, inside) - 1
        cost: int = self._cost[step]
        if inside > self.reach[step]:
            cost += self.price[step] * (inside - self.reach[step])
        return self._all_bought - cost - self.beyond * abs(given - inside)

    def above(self, given: int) -> tuple[int, int | None]:
        """Price of the next Wh given [µ¤/kWh], and for how many Wh it holds; None: for all."""
        step = bisect_right(self.reach, given) - 1
        if step < 0:
            return -self.beyond, self.reach[0] - given
        if step == len(self.wh):
            return self.beyond, None
        return self.price[step], self.reach[step + 1] - given

    def below(self, given: int) -> tuple[int, int | None]:
        """Price of the last Wh given [µ¤/kWh], and for how many Wh it holds; None: for all."""
        step = bisect_left(self.reach, given) - 1
        if step < 0:
            return -self.beyond, None
        if step == len(self.wh):
            return self.beyond, given - self.reach[-1]
        return self.price[step], given - self.reach[step]

    def prices(self, given: int) -> Interval:
        """Prices [µ¤/kWh] at which exactly so much is given, as `uniform` chooses among ties.

        Beyond the ends of the stack it is an end's price; where there are no plain orders, nothing bounds it.
        """
        if not self.price:
            return None, None
        joint = bisect_left(self.reach, given)
        if joint == len(self.reach) or self.reach[joint] != given:
            return self.price[joint - 1], self.price[joint - 1]
        low = self.price[joint - 1] + self.is_buy[joint - 1] if joint else None
        high = self.price[joint] - (not self.is_buy[joint]) if joint < len(self.wh) else None
        if low is not None and high is not None and low > high:  # both neighbours are a tick of their own
            nearer = low if self.wh[joint] < self.wh[joint - 1] else high
            return nearer, nearer
        return low, high

    def closed_prices(self, given: int) -> Interval:
        """All prices [µ¤/kWh] at which exactly so much may be given, with those at which the next step is indifferent.

        Beyond the ends of the stack there is none: the bounds contradict each other.
        """
        if given < self.reach[0]:
            return None, -self.beyond
        if given > self.reach[-1]:
            return self.beyond, None
        step = bisect_left(self.reach, given)
        if self.reach[step] != given:
            return self.price[step - 1], self.price[step - 1]
        return self.price[step - 1] if step else None, self.price[step] if step < len(self.wh) else None

    def around(self, given: int) -> tuple[int, int]:
        """First and last amount with the same prices: between two ends of steps, or just such an end."""
        step = bisect_left(self.reach, given)
        if step == len(self.reach):
            return self.reach[-1] + 1, given
        if self.reach[step] == given:
            return given, given
        return (self.reach[step - 1] + 1 if step else given), self.reach[step] - 1

    def without_wh(self, given: int, price: int) -> int:
        """Wh of the plain orders that would not lose at a price and go without."""
        steps = zip(self.price, self.is_buy, self.wh, self.reach, strict=False)
        without = 0
        for limit, is_buy, wh, begins in steps:
            walked = min(max(given - begins, 0), wh)  # a sell has given so much, a buy gone without so much
            if is_buy and limit >= price:
                without += walked
            elif not is_buy and limit <= price:
                without += wh - walked
        return without

    def allocate(self, given: int) -> IntArray:
        """Wh of each plain order, (orders,); orders of the step that is cut share pro rata, by largest remainder."""
        cut = bisect_right(self.reach, given) - 1
        is_buy, energy = self.orders.is_buy, self.orders.energy_wh
        allocated: IntArray = energy * np.where(is_buy, self._step >= cut, self._step < cut)
        rest = given - self.reach[cut]
        if rest:
            rows = np.flatnonzero(self._step == cut)
            total = self.wh[cut] - rest if self.is_buy[cut] else rest
            allocated[rows] = by_largest_remainder(energy[rows], total, self.wh[cut])
        return allocated
