"""Trades: every pairing against a plain loop, and pay as bid against the optimum of the uniform price."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import Book, books
from transactive.market import book as packed
from transactive.market.auction import pay_as_bid
from transactive.market.auction.uniform import clear, tick_indices
from transactive.market.trades import check_trades, merit_order, pair, trades_of


def pair_by_hand(given, buys, sells) -> list[tuple[int, int, int]]:
    """The same trades by two pointers."""
    left = {int(row): int(given[row]) for row in (*buys, *sells)}
    found, i, j = [], 0, 0
    while i < len(buys) and j < len(sells):
        buy, sell = int(buys[i]), int(sells[j])
        wh = min(left[buy], left[sell])
        found.append((buy, sell, wh))
        for row in (buy, sell):
            left[row] -= wh
        i, j = i + (left[buy] == 0), j + (left[sell] == 0)
    return found


@given(books(most_orders=30))
def test_pairing_equals_two_pointers_in_any_order(book: Book) -> None:
    orders, clearing = book.orders, clear(book.orders, book.grid, book.members)
    served = clearing.allocated_wh > 0
    by_book = np.flatnonzero(served & orders.is_buy), np.flatnonzero(served & ~orders.is_buy)
    by_merit = merit_order(tick_indices(orders.price, book.grid), orders.is_buy, served, book.grid.size)
    for buys, sells in (by_book, by_merit):
        found = list(zip(*(column.tolist() for column in pair(clearing.allocated_wh, buys, sells)), strict=True))
        assert found == pair_by_hand(clearing.allocated_wh, buys, sells)
        assert len(found) <= max(len(buys) + len(sells) - 1, 0)


@given(books(most_orders=30))
def test_trades_of_a_clearing_give_every_order_its_energy_at_the_one_price(book: Book) -> None:
    clearing = clear(book.orders, book.grid, book.members)
    result = trades_of(book.orders, clearing)
    check_trades(book.orders, result)
    assert result.allocated_wh(len(book.orders)).tolist() == clearing.allocated_wh.tolist()
    assert set(result.price.tolist()) <= {clearing.price}


@given(books(most_orders=30))
def test_pay_as_bid_trades_the_uniform_optimum_at_the_buyers_limits(book: Book) -> None:
    orders = book.orders
    result = pay_as_bid.clear(orders, book.grid, book.members)
    check_trades(orders, result)
    expected = clear(orders, book.grid, book.members)
    assert result.allocated_wh(len(orders)).tolist() == expected.allocated_wh.tolist()
    assert result.price.tolist() == orders.price[result.buy].tolist()
    assert orders.price[result.buy].tolist() == sorted(orders.price[result.buy].tolist(), reverse=True)
    assert orders.price[result.sell].tolist() == sorted(orders.price[result.sell].tolist())
    assert result.digest() == pay_as_bid.clear(orders, book.grid, book.members).digest()


@settings(max_examples=30)
@given(st.integers(0, 2**32))
def test_stretches_of_the_tapes_join_without_a_seam(seed: int) -> None:
    random = np.random.default_rng(seed)
    energy = random.integers(1, 4, 60)
    buys, sells = np.arange(40), np.arange(40, 60)
    energy[40:] = 1
    energy[40] += energy[:40].sum() - energy[40:].sum()
    whole = [column.tolist() for column in pair(energy, buys, sells)]
    with patch.object(packed, "CHUNK", 7):
        assert [column.tolist() for column in pair(energy, buys, sells)] == whole


@given(st.lists(st.integers(0, 2**17 - 1), max_size=40), st.integers(0, 3))
def test_merit_order_on_fine_grids_equals_a_plain_sort(tick: list[int], sides: int) -> None:
    is_buy = np.array([(i * 7 + sides) % 3 == 0 for i in range(len(tick))], np.bool_)
    everyone = np.ones(len(tick), np.bool_)
    buys, sells = merit_order(np.array(tick, np.int64), is_buy, everyone, 2**17)
    assert buys.tolist() == sorted((i for i in range(len(tick)) if is_buy[i]), key=lambda i: (-tick[i], i))
    assert sells.tolist() == sorted((i for i in range(len(tick)) if not is_buy[i]), key=lambda i: (tick[i], i))
