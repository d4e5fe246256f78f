"""Locks: what an order holds back, so that whatever happens in the slot can be paid.

A buy locks Wh x (limit + fee), and the carbon levy that is due if its energy comes from the grid in the end. A sell
locks what it could owe if it delivered nothing: Wh x (c − limit), with c = supply − fee, for its buyers' energy is then
replaced from the grid. At negative prices the other course can cost more, and is what is locked: a buyer that takes
nothing pays the supplier for taking it back, Wh x (limit − feed-in), and a seller that delivers pays −limit.
"""

from __future__ import annotations

import numpy as np

from transactive.core.tables import Orders, Refusals
from transactive.core.tariff import Tariff
from transactive.core.trades.positions import Positions
from transactive.core.units import BoolArray, IntArray


def lock_price(is_buy: BoolArray, price: IntArray, tariff: Tariff) -> IntArray:
    """What each Wh of an order locks [n¤/Wh], never negative."""
    # of the member who pays most: locks are the same for all
    fee = max(int(np.max(tariff.fee_of)), tariff.near.fee if tariff.near else 0)
    buy, sell = price + max(fee + tariff.levy, -tariff.feed_in), max(tariff.grid_cost, 0) - price
    locked: IntArray = np.maximum(np.where(is_buy, buy, sell), 0)
    return locked


def admit(orders: Orders, free_n: IntArray) -> tuple[Orders, Refusals]:
    """Split orders into those that the free balance [n¤], (members,), can lock, and those refused.

    A member's orders are tried in their order; one that does not fit is refused, a later one may still fit.
    """
    locked = locked_before_clearing(orders, len(free_n))
    kept = np.ones(len(orders), bool)
    missing = np.zeros(len(orders), np.int64)
    for member in np.flatnonzero(locked > free_n):
        left = int(free_n[member])
        for row in np.flatnonzero(orders.member == member):
            need = int(orders.lock_n[row])
            if need <= left:
                left -= need
            else:
                kept[row], missing[row] = False, need - max(left, 0)
    refused = ~kept
    return orders.only(kept), Refusals(
        orders.slot,
        orders.member[refused],
        orders.is_buy[refused],
        orders.price[refused],
        orders.energy_wh[refused],
        missing[refused],
    )


def locked_before_clearing(orders: Orders, members: int) -> IntArray:
    """Sum of the locks per member [n¤]."""
    locked = np.zeros(members, np.int64)
    np.add.at(locked, orders.member, orders.lock_n)
    return locked


def locked_after_clearing(positions: Positions, tariff: Tariff) -> IntArray:
    """What stays locked per member once prices are known [n¤]: only what it traded."""
    locked = np.zeros(len(positions.bought_wh), np.int64)
    amounts = positions.energy_wh * lock_price(positions.is_buy, positions.price, tariff)
    np.add.at(locked, positions.member, amounts)
    return locked
