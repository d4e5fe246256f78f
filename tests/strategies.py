"""Hypothesis strategies that the tests of several rooms share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid, Tariff

MOST_WH = 1 << 62

BOTH_SIDES = st.booleans()
SIDES = (st.just(value=True), st.just(value=False), BOTH_SIDES, BOTH_SIDES, BOTH_SIDES)


@dataclass(frozen=True)
class Book:
    """Orders with the market they are meant for."""

    orders: Orders
    grid: PriceGrid
    members: int


def orders_table(
    member: list[int], is_buy: list[bool], price: list[int], energy_wh: list[int], slot: int = 0
) -> Orders:
    """Orders from plain lists; nothing is locked."""
    return Orders(
        slot=slot,
        member=np.array(member, np.int64),
        is_buy=np.array(is_buy, np.bool_),
        price=np.array(price, np.int64),
        energy_wh=np.array(energy_wh, np.int64),
        lock_n=np.zeros(len(member), np.int64),
    )


@st.composite
def grids(draw: st.DrawFn, most_ticks: int = 16) -> PriceGrid:
    """Price grids, with negative floors and single prices among them."""
    tick = draw(st.sampled_from((1, 100, 20_000)))
    floor = draw(st.sampled_from((-50_000, 0, 80_000)))
    return PriceGrid(floor, floor + tick * draw(st.integers(0, most_ticks - 1)), tick)


@st.composite
def books(draw: st.DrawFn, most_orders: int = 14) -> Book:
    """Small nasty books: ties, duplicates, one side only, uncrossed, all at one price, up to 2**62 Wh in all."""
    grid = draw(grids())
    count = draw(st.integers(0, most_orders))
    side = draw(st.sampled_from(SIDES))
    prices_used = draw(st.integers(1, grid.size))
    most_wh = draw(st.sampled_from((1, 3, 10, 5_000, 2**31 - 1, MOST_WH // max(most_orders, 1))))
    members = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    ticks = column(st.integers(0, prices_used - 1))
    orders = orders_table(
        member=column(st.integers(0, members - 1)),
        is_buy=column(side),
        price=[grid.price(tick) for tick in ticks],
        energy_wh=column(st.integers(1, most_wh)),
    )
    return Book(orders, grid, members)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Tariffs under which local trade can pay: feed-in at most supply − fee, negative prices included."""
    feed_in = draw(st.integers(-100_000, 200_000))
    spread = draw(st.integers(0, 400_000))
    fee = draw(st.integers(0, 100_000))
    return Tariff(supply=feed_in + spread + fee, feed_in=feed_in, fee=fee)
