"""Trades: who bought from whom, how much, at which price; for markets in which one price does not say it all.

Two tapes explain every pairing: the energy of the served buys and that of the served sells laid end to end. Both are
equally long; wherever either tape has a joint, one trade ends and the next begins. So there are fewer trades than
served orders, and no order is ever compared with another. At one price any order of the tapes is right, and that of the
book needs no sorting.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.errors import DataError, require
from transactive.core.tables import Clearing, Orders, Table
from transactive.core.units import BoolArray, IntArray
from transactive.market.book import chunks


@dataclass(frozen=True, slots=True, eq=False)
class Trades(Table):
    """Trades of one slot, shape (trades,): rows of the buy and the sell among the orders, Wh > 0, price [µ¤/kWh].

    Buyer pays and seller receives the same energy_wh x price, so the money of every trade sums to zero.
    """

    slot: int
    buy: IntArray
    sell: IntArray
    energy_wh: IntArray
    price: IntArray

    def __len__(self) -> int:
        return len(self.energy_wh)

    def allocated_wh(self, orders: int) -> IntArray:
        """Wh that each of the orders got, shape (orders,)."""
        given = np.zeros(orders, np.int64)
        np.add.at(given, self.buy, self.energy_wh)
        np.add.at(given, self.sell, self.energy_wh)
        return given


def pair(given: IntArray, buys: IntArray, sells: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Pair the served energy in the order in which the rows stand; returns rows of buys and of sells, and Wh > 0.

    given: Wh of each order, (orders,). buys, sells: rows of the served orders of one side each.
    Raises DataError unless as much is bought as sold.
    """
    bought, sold = np.cumsum(given[buys], dtype=np.int64), np.cumsum(given[sells], dtype=np.int64)
    total = [int(tape[-1]) if len(tape) else 0 for tape in (bought, sold)]
    if total[0] != total[1]:
        raise DataError(f"{total[0]} Wh bought, {total[1]} Wh sold: pair the orders of a cleared book")
    buy, sell, energy = (np.empty(len(buys) + len(sells), np.int64) for _ in range(3))
    trades = passed = start = 0
    for part in chunks(len(buys)):  # a stretch of both tapes at a time, so that it stays in the cache
        end = bought[part][-1]
        past = int(np.searchsorted(sold, end, side="right"))
        pieces = _cut(bought[part], sold[passed:past], start)
        here = slice(trades, trades + len(pieces[0]))
        buy[here], sell[here], energy[here] = buys[part.start + pieces[0]], sells[passed + pieces[1]], pieces[2]
        trades, passed, start = here.stop, past, end
    return buy[:trades], sell[:trades], energy[:trades]


def _cut(bought: IntArray, sold: IntArray, start: int) -> tuple[IntArray, IntArray, IntArray]:
    """Cut a stretch from `start` on at the joints of both tapes: joints passed on each before a piece, and its Wh."""
    joints = np.concatenate([bought, sold])
    order = np.argsort(joints, kind="stable")  # two rising runs, which a merge sort joins in one pass
    energy, ends_buy = np.diff(joints[order], prepend=start), order < len(bought)
    buy = np.cumsum(ends_buy, dtype=np.int64) - ends_buy
    sell = np.arange(len(order)) - buy
    real = np.flatnonzero(energy != 0)  # where both tapes have a joint, the piece between them is empty
    return buy[real], sell[real], energy[real]


def trades_of(orders: Orders, clearing: Clearing) -> Trades:
    """Trades behind a uniform price, paired in the order of the book."""
    served = clearing.allocated_wh > 0
    buys, sells = np.flatnonzero(served & orders.is_buy), np.flatnonzero(served & ~orders.is_buy)
    buy, sell, energy = pair(clearing.allocated_wh, buys, sells)
    return Trades(clearing.slot, buy, sell, energy, np.broadcast_to(np.int64(clearing.price), len(energy)))


def merit_order(tick: IntArray, is_buy: BoolArray, served: BoolArray, ticks: int) -> tuple[IntArray, IntArray]:
    """Rows of the served buys, dearest first, and of the served sells, cheapest first; ties by position.

    tick: 0 <= tick < ticks, (orders,). Sorting 16 bits at a time is a radix sort, so it takes O(orders).
    """
    buys, sells = np.flatnonzero(served & is_buy), np.flatnonzero(served & ~is_buy)
    return buys[_rising(ticks - 1 - tick[buys], ticks)], sells[_rising(tick[sells], ticks)]


def _rising(tick: IntArray, ticks: int) -> IntArray:
    """Positions by rising tick, ties by position."""
    order = np.argsort(tick.astype(np.uint16), kind="stable")
    if ticks > 1 << 16:
        order = order[np.argsort((tick[order] >> 16).astype(np.uint16), kind="stable")]
    return order


def check_trades(orders: Orders, trades: Trades) -> None:
    """Raise RuleBroken unless buys meet sells, with energy, nobody beyond limit or quantity."""
    buy, sell = trades.buy, trades.sell
    require(bool((trades.energy_wh > 0).all()), "a trade has energy")
    require(bool(orders.is_buy[buy].all()) and not orders.is_buy[sell].any(), "a trade is between a buy and a sell")
    require(bool((trades.price <= orders.price[buy]).all()), "no buyer pays more than its limit")
    require(bool((trades.price >= orders.price[sell]).all()), "no seller receives less than its limit")
    require(bool((trades.allocated_wh(len(orders)) <= orders.energy_wh).all()), "no order gets more than its quantity")
