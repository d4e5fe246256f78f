"""Fills: what each order got at which price; the form to which every mechanism with several prices comes down.

A trade is two fills, one of its buy and one of its sell. An order may have many fills. Money that is no whole price
times Wh is split exactly: `exact_fills` takes two prices next to each other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.errors import require
from transactive.core.tables import Orders, Table
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.market.nodal import NodalClearing
from transactive.market.trades import Trades


@dataclass(frozen=True, slots=True, eq=False)
class OrderFills(Table):
    """Fills of one slot, shape (fills,): row of the order, Wh > 0, price [µ¤/kWh] that it pays or receives."""

    slot: int
    order: IntArray
    energy_wh: IntArray
    price: IntArray

    def __len__(self) -> int:
        return len(self.order)

    def allocated_wh(self, orders: int) -> IntArray:
        """Wh that each of the orders got, shape (orders,)."""
        given = np.zeros(orders, np.int64)
        np.add.at(given, self.order, self.energy_wh)
        return given

    def money_n(self, orders: Orders) -> IntArray:
        """Received − paid by each order [n¤], (orders,)."""
        money = np.zeros(len(orders), np.int64)
        sign = np.where(orders.is_buy[self.order], -1, 1)
        np.add.at(money, self.order, sign * self.energy_wh * self.price)
        return money

    def positions(self, orders: Orders, members: int) -> Positions:
        """The same by member, side and price."""
        member, is_buy = orders.member[self.order], orders.is_buy[self.order]
        return Positions.of(self.slot, members, member, is_buy, self.energy_wh, self.price)


def of_trades(trades: Trades) -> OrderFills:
    """Both sides of each trade."""
    rows = np.concatenate((trades.buy, trades.sell))
    return OrderFills(trades.slot, rows, np.tile(trades.energy_wh, 2), np.tile(trades.price, 2))


def of_nodes(clearing: NodalClearing, node: IntArray) -> OrderFills:
    """Each served order at the price of its node, (orders,)."""
    served = np.flatnonzero(clearing.allocated_wh)
    return OrderFills(clearing.slot, served, clearing.allocated_wh[served], clearing.price[node[served]])


def exact_fills(slot: int, order: IntArray, energy_wh: IntArray, money_n: IntArray) -> OrderFills:
    """Fills that sum to `energy_wh` > 0 and `money_n` of each order, at its mean price rounded down and one above."""
    price, above = np.divmod(money_n, energy_wh)
    rows, energy, prices = np.tile(order, 2), np.concatenate((energy_wh - above, above)), np.tile(price, 2)
    prices[len(order) :] += 1
    real = energy > 0
    return OrderFills(slot, rows[real], energy[real], prices[real])


def check_fills(orders: Orders, fills: OrderFills, lost_wh: int = 0) -> None:
    """Raise RuleBroken unless Wh bought + lost = sold, nobody trades beyond quantity or limit, and money suffices."""
    is_buy, limit = orders.is_buy[fills.order], orders.price[fills.order]
    require(bool((fills.energy_wh > 0).all()), "a fill has energy")
    bought = int((fills.energy_wh * is_buy).sum())
    require(2 * bought + lost_wh == int(fills.energy_wh.sum()), "Wh bought = Wh sold, less what is lost")
    require(bool((fills.allocated_wh(len(orders)) <= orders.energy_wh).all()), "no order gets more than its quantity")
    beyond = np.where(is_buy, fills.price > limit, fills.price < limit)
    require(not beyond.any(), "no order trades beyond its limit")
    require(int(fills.money_n(orders).sum()) <= 0, "buyers pay at least what sellers receive")
