"""A mechanism of one's own: who trades is what `uniform` finds, the price is the middle of the two marginal limits."""

from __future__ import annotations

from dataclasses import replace

from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction import uniform


def clear(orders: Orders, grid: PriceGrid, members: int, /) -> Clearing:
    """Clear one slot; the price is rounded down to the grid. Raises DataError as `uniform.clear` does.

    k-double auction with k = ½: Chatterjee & Samuelson, Bargaining under incomplete information, 1983.
    """
    clearing = uniform.clear(orders, grid, members)
    served = clearing.allocated_wh > 0
    if not served.any():
        return clearing
    lowest_buy = int(orders.price[served & orders.is_buy].min())
    highest_sell = int(orders.price[served & ~orders.is_buy].max())
    return replace(clearing, price=grid.price(((lowest_buy + highest_sell) // 2 - grid.floor) // grid.tick))
