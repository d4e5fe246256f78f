"""What a mechanism must do to be one; for the tests of those who write them, ours included."""

from __future__ import annotations

import numpy as np

from transactive.core.errors import DataError, require
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market import mechanisms
from transactive.market.registry import AnyMechanism

GRID = PriceGrid(-200, 300, 100)
MEMBERS = 4


def check_mechanism(mechanism: AnyMechanism, random: np.random.Generator, books: int = 200) -> None:
    """Clear random small books, empty and one-sided ones among them, and raise RuleBroken for the first broken rule.

    For every kind but `ByNode`. Rules: every clearing passes `check_clearing` or `check_fills` and answers the slot and
    rows it was asked; the same columns give the same result; an order off the grid, without positive energy or of an
    unknown member is refused with DataError.
    """
    for number in range(books):
        orders = random_orders(random, count=number % 12)
        cleared = mechanisms.clear(mechanism, orders, GRID, MEMBERS)
        clearing = cleared.clearing
        require(clearing.slot == orders.slot, "a clearing is for the slot of its orders")
        require(len(clearing.bought_wh) == len(clearing.sold_wh) == MEMBERS, "a clearing has one row per member")
        again = mechanisms.clear(mechanism, orders, GRID, MEMBERS)
        equal = (again.clearing.digest(), again.positions.digest()) == (clearing.digest(), cleared.positions.digest())
        require(equal, "equal orders clear equally")
    for price, energy, member in ((50, 1, 0), (400, 1, 0), (0, 0, 0), (0, 1, MEMBERS)):
        require(_refuses(mechanism, price, energy, member), f"{price} µ¤/kWh, {energy} Wh, member {member} is refused")


def random_orders(random: np.random.Generator, count: int) -> Orders:
    """Draw a small book full of ties; one in four has buys only, one in four sells only."""
    one_sided = random.integers(4)
    return Orders(
        slot=int(random.integers(1 << 30)),
        member=random.integers(0, MEMBERS, count),
        is_buy=random.random(count) < (0.5, 0.5, 0.0, 1.0)[one_sided],
        price=GRID.floor + GRID.tick * random.integers(0, GRID.size, count),
        energy_wh=random.integers(1, 10 ** random.integers(1, 10), count),
        lock_n=np.zeros(count, np.int64),
    )


def _refuses(mechanism: AnyMechanism, price: int, energy: int, member: int) -> bool:
    """Whether a book of one such order is refused with DataError."""
    columns = (np.array([value], np.int64) for value in (price, energy, 0))
    orders = Orders(0, np.array([member], np.int64), np.array([True]), *columns)
    try:
        mechanisms.clear(mechanism, orders, GRID, MEMBERS)
    except DataError:
        return True
    return False
