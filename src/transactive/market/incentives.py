"""What a member gains by not telling the truth: one of its orders altered, all others fixed, the slot cleared anew.

Limits are taken as true values, so what a member has of a slot is its surplus: value less payment for what it buys,
payment less cost for what it sells. A Wh that it does not trade is worth its limit elsewhere. Two alterations:

    withheld    one Wh less                                     does it move the price by keeping back?
    shaded      a limit less good for the others by `step`      does it pay to understate what it would pay?

All gains are exact. Only orders that got something are altered: who got nothing could at most gain by an offer against
its own interest.

Source: the test is that of a unilateral deviation; a mechanism in which no such gain exists is incentive compatible
(Hurwicz 1972; for auctions Vickrey 1961).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.mechanisms import Cleared

Clear = Callable[[Orders], Cleared]


@dataclass(frozen=True, slots=True)
class Gains:
    """Most that each trading member gains in a slot by one altered order [n¤], not negative. altered: orders tried."""

    withheld_n: list[int]
    shaded_n: list[int]
    altered: int


def surplus_n(orders: Orders, cleared: Cleared, limit: IntArray) -> IntArray:
    """Surplus of each order at true limits [µ¤/kWh], (orders,): n¤."""
    worth = np.where(orders.is_buy, limit, -limit) * cleared.clearing.allocated_wh
    gained: IntArray = worth + cleared.money_n
    return gained


def gains(clear: Clear, orders: Orders, cleared: Cleared, grid: PriceGrid, step: int, most: int) -> Gains:
    """Try both alterations on every served order, or on `most` of them that are spread evenly over the book.

    clear: the mechanism, for orders of the same slot and members. step: shade of a limit [µ¤/kWh], a multiple of the
    tick; a limit that would leave the grid ends at its edge.
    """
    served = np.flatnonzero(cleared.clearing.allocated_wh)
    chosen = served[:: -(-len(served) // most) or 1]
    truth = np.zeros(int(orders.member.max(initial=-1)) + 1, np.int64)
    np.add.at(truth, orders.member, surplus_n(orders, cleared, orders.price))
    withheld, shaded = (dict.fromkeys(orders.member[chosen].tolist(), 0) for _ in range(2))
    for row in chosen.tolist():
        member = int(orders.member[row])
        less = without_one_wh(orders, row)
        gain = _of_member(clear, less, less.price, member) - int(truth[member])
        withheld[member] = max(withheld[member], gain)
        understated = with_limit(orders, row, shade(orders, row, grid, step))
        gain = _of_member(clear, understated, orders.price, member) - int(truth[member])
        shaded[member] = max(shaded[member], gain)
    return Gains(list(withheld.values()), list(shaded.values()), len(chosen))


def without_one_wh(orders: Orders, row: int) -> Orders:
    """The book with one Wh less in an order, without the order if that was all."""
    energy = orders.energy_wh.copy()
    energy[row] -= 1
    return replace(orders, energy_wh=energy).only(energy > 0)


def with_limit(orders: Orders, row: int, price: int) -> Orders:
    """The book with another limit [µ¤/kWh] of one order."""
    prices = orders.price.copy()
    prices[row] = price
    return replace(orders, price=prices)


def shade(orders: Orders, row: int, grid: PriceGrid, step: int) -> int:
    """Limit of an order understated by `step` [µ¤/kWh]: a buy bids less, a sell asks more."""
    price = int(orders.price[row]) + (-step if orders.is_buy[row] else step)
    return min(max(price, grid.floor), grid.cap)


def _of_member(clear: Clear, orders: Orders, limit: IntArray, member: int) -> int:
    """Surplus of a member in an altered book [n¤]."""
    return int(surplus_n(orders, clear(orders), limit)[orders.member == member].sum())
