"""What a market did with each order, whatever the mechanism; whole numbers of any size.

Prices and energies may be as large as int64 allows, so their products are Python's own integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from transactive.core.tables import Clearing, Orders
from transactive.core.units import IntArray
from transactive.market.auction.levels import Levelled, balanced_price
from transactive.market.fills import OrderFills, check_fills
from transactive.market.nodal import NodalClearing
from transactive.market.registry import ByOrder, ByTrade, Mechanism
from transactive.market.rules import check_clearing
from transactive.market.trades import Trades, check_trades, trades_of


@dataclass(frozen=True, slots=True)
class Result:
    """Outcome of one slot, one entry per order.

    price: µ¤/kWh of the slot, None without a trade; where trades have their own, their mean by energy to the nearest
    whole one, halves up. order_price: likewise of each order, None where it has none. money_n: received − paid [n¤],
    so that money at positive prices goes from buys (below 0) to sells. welfare_n: limits of what was bought less limits
    of what was sold, times Wh. trades: None where a price belongs to a node, as buyer and seller then have two; what
    such a market does not pay out is the network's. lost_wh: sold and not bought.
    """

    price: int | None
    order_price: Sequence[int | None]
    allocated_wh: Sequence[int]
    money_n: Sequence[int]
    welfare_n: int
    trades: Trades | None
    lost_wh: int = 0

    @property
    def traded_wh(self) -> int:
        """Wh bought, which is Wh sold less what was lost between them."""
        return (sum(self.allocated_wh) - self.lost_wh) // 2


def clear_levelled(mechanism: Mechanism | ByOrder | ByTrade, orders: Orders, book: Levelled, members: int) -> Result:
    """Clear `orders`, which `book` holds on a grid. Raises DataError as the mechanism does."""
    if isinstance(mechanism, ByOrder):
        fills = mechanism.clear(book.orders, book.grid, members)
        return result_by_order(orders, replace(fills, price=book.price(fills.price)))
    if isinstance(mechanism, ByTrade):
        trades = mechanism.clear(book.orders, book.grid, members)
        return result_by_trade(orders, replace(trades, price=book.price(trades.price)))
    clearing = mechanism(book.orders, book.grid, members)
    price = balanced_price(orders, clearing.allocated_wh) if book.levels is not None else None
    if price is None:
        price = int(book.price(np.array(clearing.price)))
    return result_at_one_price(orders, replace(clearing, price=price))


def result_by_node(orders: Orders, node: IntArray, clearing: NodalClearing) -> Result:
    """Result on a network; every order has the price of its node, the slot has what buyers pay a Wh on average."""
    given, sides = clearing.allocated_wh.tolist(), orders.is_buy.tolist()
    prices = clearing.price[node].tolist() if clearing.traded_wh else [None] * len(given)
    signed = [-wh if is_buy else wh for is_buy, wh in zip(sides, given, strict=True)]
    money = [wh * price if wh else 0 for wh, price in zip(signed, prices, strict=True)]
    paid = -sum(part for is_buy, part in zip(sides, money, strict=True) if is_buy)
    lost = int(clearing.lost_wh.sum())
    return Result(mean_price(paid, clearing.traded_wh), prices, given, money, welfare(orders, given), None, lost)


def result_at_one_price(orders: Orders, clearing: Clearing) -> Result:
    """Result of a clearing; every order has the price of the slot."""
    check_clearing(orders, clearing)
    price = clearing.price if clearing.traded_wh else None
    given, sides = clearing.allocated_wh.tolist(), orders.is_buy.tolist()
    money = [clearing.price * (-wh if is_buy else wh) for is_buy, wh in zip(sides, given, strict=True)]
    return Result(price, [price] * len(given), given, money, welfare(orders, given), trades_of(orders, clearing))


def result_by_order(orders: Orders, fills: OrderFills) -> Result:
    """Result of orders that trade with the market as a whole; what buyers pay beyond sellers is the market's."""
    check_fills(orders, fills)
    given, sides = fills.allocated_wh(len(orders)).tolist(), orders.is_buy.tolist()
    money = [0] * len(given)
    for row, wh, price in zip(fills.order.tolist(), fills.energy_wh.tolist(), fills.price.tolist(), strict=True):
        money[row] += -wh * price if sides[row] else wh * price
    paid = [-part if is_buy else part for is_buy, part in zip(sides, money, strict=True)]
    prices = [mean_price(part, wh) for part, wh in zip(paid, given, strict=True)]
    turnover = sum(part for is_buy, part in zip(sides, paid, strict=True) if is_buy)
    return Result(mean_price(turnover, sum(given) // 2), prices, given, money, welfare(orders, given), None)


def result_by_trade(orders: Orders, trades: Trades) -> Result:
    """Result of trades with prices of their own."""
    check_trades(orders, trades)
    given, money = trades.allocated_wh(len(orders)).tolist(), [0] * len(orders)
    turnover = 0
    columns = (column.tolist() for column in (trades.buy, trades.sell, trades.energy_wh, trades.price))
    for buy, sell, wh, price in zip(*columns, strict=True):
        money[buy] -= wh * price
        money[sell] += wh * price
        turnover += wh * price
    prices = [
        mean_price(-paid if is_buy else paid, wh)
        for is_buy, paid, wh in zip(orders.is_buy.tolist(), money, given, strict=True)
    ]
    return Result(mean_price(turnover, sum(given) // 2), prices, given, money, welfare(orders, given), trades)


def welfare(orders: Orders, given: Sequence[int]) -> int:
    """Value of an allocation to its buyers less its cost to the sellers, by their limits [n¤]."""
    rows = zip(orders.is_buy.tolist(), orders.price.tolist(), given, strict=True)
    return sum(limit * (wh if is_buy else -wh) for is_buy, limit, wh in rows)


def mean_price(money_n: int, energy_wh: int) -> int | None:
    """Mean price [µ¤/kWh] to the nearest whole one, halves up; None without energy."""
    return (2 * money_n + energy_wh) // (2 * energy_wh) if energy_wh else None
