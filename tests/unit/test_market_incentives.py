"""What an untrue order gains, worked by hand on books of a few orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from tests.strategies import Book, books, orders_table
from transactive.core.tariff import PriceGrid
from transactive.market import mechanisms, registry
from transactive.market.incentives import gains, shade, surplus_n, with_limit, without_one_wh

GRID = PriceGrid(0, 400, 100)


def of(orders, mechanism="uniform", grid=GRID, members=4, step=100, most=50):
    """Gains under one mechanism."""

    def clear(book):
        return mechanisms.clear(registry.load(mechanism), book, grid, members)

    return gains(clear, orders, clear(orders), grid, step, most)


def test_a_seller_that_holds_back_its_last_wh_raises_the_price():
    """Two Wh for two buyers clear at 100; one Wh goes to the dearer buyer at 300, which is 200 above its limit."""
    book = orders_table([0, 1, 2], [False, True, True], [100, 300, 200], [2, 1, 1])
    found = of(book)
    assert found.altered == 3
    assert sorted(found.withheld_n) == [0, 0, 200]


def test_a_buyer_that_bids_less_pays_less_as_bid():
    book = orders_table([0, 1], [False, True], [100, 300], [5, 5])
    assert of(book, "pay_as_bid").shaded_n == [0, 500]  # a seller's ask does not decide its price
    more = orders_table([0, 1, 2], [False, True, True], [100, 400, 200], [9, 5, 5])
    assert of(more, "pay_as_bid").shaded_n == [0, 500, 400]
    assert of(more, "uniform").shaded_n == [0, 0, 400]  # short of supply the highest price is taken: the last buyer's


def test_an_order_of_one_wh_is_held_back_altogether():
    book = orders_table([0, 1], [False, True], [100, 300], [1, 1])
    assert len(without_one_wh(book, 1)) == 1
    assert of(book).withheld_n == [0, 0]


def test_limits_stay_on_the_grid():
    book = orders_table([0, 0], [True, False], [100, 400], [1, 1])
    assert (shade(book, 0, GRID, 200), shade(book, 1, GRID, 200)) == (0, 400)
    assert with_limit(book, 0, 0).price.tolist() == [0, 400]


def test_of_many_orders_some_are_tried_spread_over_the_book():
    book = orders_table([0] * 6 + [1] * 6, [True] * 6 + [False] * 6, [300] * 6 + [100] * 6, [1] * 12)
    assert of(book, most=4).altered == 4
    assert of(book, most=100).altered == 12
    assert of(orders_table([], [], [], [])).altered == 0


@pytest.mark.parametrize("name", ["uniform", "pay_as_bid", "continuous"])
@settings(max_examples=15)
@given(books(most_orders=7))
def test_the_best_gain_is_that_of_trying_every_order_by_hand(name: str, book: Book) -> None:
    orders, grid = book.orders, book.grid

    def own(altered, limit, member):
        cleared = mechanisms.clear(registry.load(name), altered, grid, book.members)
        pairs = zip(altered.is_buy, limit, cleared.clearing.allocated_wh, cleared.money_n, altered.member, strict=True)
        return sum(int(w) * int(p) * (1 if buy else -1) + int(n) for buy, p, w, n, m in pairs if m == member)

    if int(orders.energy_wh.sum()) > 10**9:  # products of larger ones leave 64 bits, here and in any community
        return
    found = of(orders, name, grid, book.members, grid.tick)
    cleared = mechanisms.clear(registry.load(name), orders, grid, book.members)
    assert int(surplus_n(orders, cleared, orders.price).min(initial=0)) >= 0
    best: dict[int, int] = {}
    for row in np.flatnonzero(cleared.clearing.allocated_wh).tolist():
        member = int(orders.member[row])
        understated = with_limit(orders, row, shade(orders, row, grid, grid.tick))
        gain = own(understated, orders.price, member) - own(orders, orders.price, member)
        best[member] = max(best.get(member, 0), gain)
    assert sorted(found.shaded_n) == sorted(best.values())
    assert min(found.withheld_n, default=0) >= 0
