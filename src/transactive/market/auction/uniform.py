"""Uniform price: one call auction a slot, cleared on a tick histogram in O(orders + ticks), exact in Wh.

The price can only be one of the grid's ticks, so two sums a tick, bought and sold, describe the whole book: no order is
ever sorted. `book`, `crossing` and `allocation` are the three steps on packed columns:

    histogram(shard) --+
    histogram(shard) --+-- merge --> find_crossing --> allocate(shard), allocate(shard), ...
"""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError
from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market.auction.allocation import allocate
from transactive.market.auction.crossing import find_crossing
from transactive.market.book import histogram, pack_keys
from transactive.market.rules import check_clearing


def clear(orders: Orders, grid: PriceGrid, members: int, *, shardable: bool = False) -> Clearing:
    """Clear the orders of one slot at one price.

    Largest volume, then least imbalance, then excess demand takes the highest tied price, excess supply the lowest,
    balance the lower middle. Orders better than the price are served in full; orders at it share pro rata by
    largest remainder, ties by position, or, if `shardable`, by the prefix rule that shards of a book can apply alone.

    grid: allowed limits [µ¤/kWh]. members: accounts that may order; `orders.member` is below it. Without a trade
    the price is the grid's floor.

    Raises DataError for an order off the grid, without positive energy or of an unknown member, naming its row, and for
    a book of more than 2**62 Wh.
    """
    check_orders(orders, members)
    keys = pack_keys(tick_indices(orders.price, grid), orders.is_buy, grid.size)
    crossing = find_crossing(histogram(keys, orders.energy_wh, grid.size))
    given = allocate(keys, orders.energy_wh, crossing, before=0 if shardable else None)
    sold, bought = _by_side_and_member(orders, given, members)
    clearing = Clearing(
        slot=orders.slot,
        price=grid.price(crossing.tick or 0),
        traded_wh=crossing.volume,
        allocated_wh=given,
        bought_wh=bought,
        sold_wh=sold,
    )
    check_clearing(orders, clearing)
    return clearing


def tick_indices(price: IntArray, grid: PriceGrid) -> IntArray:
    """Tick index of each limit [µ¤/kWh], shape (orders,). Raises DataError for one off the grid: none is ever moved."""
    outside = (price < grid.floor) | (price > grid.cap)
    above_floor = price - grid.floor  # may wrap round for prices outside, which are refused
    tick = above_floor // grid.tick  # much faster in numpy than divmod
    rest = above_floor - tick * grid.tick
    allowed = f"{grid.floor} … {grid.cap} by {grid.tick}"
    _refuse(outside | (rest != 0), price, f"price {{}} µ¤/kWh is not on the grid {allowed}; choose one that is")
    return tick


def check_orders(orders: Orders, members: int) -> None:
    """Raise DataError, naming the row, for an order that no mechanism could clear."""
    if len({len(column) for column in (orders.member, orders.is_buy, orders.price, orders.energy_wh)}) > 1:
        raise DataError("orders: member, is_buy, price and energy_wh must have one row per order")
    _refuse(orders.energy_wh <= 0, orders.energy_wh, "energy {} Wh is not positive; leave the order out")
    unknown = (orders.member < 0) | (orders.member >= members)
    _refuse(unknown, orders.member, f"member {{}} is not one of the {members} of this market")


def _refuse(bad: BoolArray, column: IntArray, complaint: str) -> None:
    """Raise DataError for the first bad row, if there is one."""
    if bad.any():
        row = int(bad.argmax())
        raise DataError(f"order {row}: {complaint.format(int(column[row]))}")


def _by_side_and_member(orders: Orders, given: IntArray, members: int) -> IntArray:
    """Wh sold and Wh bought per member, shape (2, members)."""
    total = np.zeros(2 * members, np.int64)
    np.add.at(total, orders.member + members * orders.is_buy, given)
    return total.reshape(2, members)
