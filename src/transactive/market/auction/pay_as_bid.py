"""Pay as bid: the trades of the uniform optimum, each at the buyer's limit.

Who trades, and how much, is what `uniform` finds: the largest volume and, with it, the largest welfare. Only the money
differs: there is no common price, and the dearest buyer meets the cheapest seller, so that a low offer earns most.
"""

from __future__ import annotations

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction import uniform
from transactive.market.registry import ByTrade
from transactive.market.trades import Trades, check_trades, merit_order, pair


def clear(orders: Orders, grid: PriceGrid, members: int) -> Trades:
    """Clear the orders of one slot in pairs; fewer trades than served orders.

    Marginal orders share as in `uniform`. Trades stand in merit order. Raises DataError as `uniform.clear` does.
    """
    clearing = uniform.clear(orders, grid, members)
    tick, given = uniform.tick_indices(orders.price, grid), clearing.allocated_wh
    buy, sell, energy = pair(given, *merit_order(tick, orders.is_buy, given > 0, grid.size))
    trades = Trades(orders.slot, buy, sell, energy, orders.price[buy])
    check_trades(orders, trades)
    return trades


MECHANISM = ByTrade(clear)
