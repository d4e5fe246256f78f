"""Preferences: wishes choose whose energy it is, at a premium that goes to the chosen and a welfare that stays."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Book, books, orders_table
from transactive.bench.markets.preferences import seeded_wishes
from transactive.core.errors import DataError
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction import uniform
from transactive.market.auction.preferences import NOBODY, Wish, Wishes, clear
from transactive.market.result import welfare
from transactive.market.trades import Trades, check_trades, trades_of


@dataclass(frozen=True)
class Wished:
    """A book with wishes, and what came of it with and without them."""

    book: Book
    wishes: Wishes
    trades: Trades
    price: int
    without: np.ndarray

    @property
    def orders(self) -> Orders:
        return self.book.orders

    @property
    def given(self) -> np.ndarray:
        return self.trades.allocated_wh(len(self.orders))


@st.composite
def wished_books(draw: st.DrawFn) -> Wished:
    book = draw(books(most_orders=16))
    orders, random = book.orders, np.random.default_rng(draw(st.integers(0, 2**32)))
    count, spread = len(orders), book.grid.cap - book.grid.floor
    wishes = Wishes(
        prefer=np.where(orders.is_buy, random.integers(0, 4, count), 0),
        partner=random.integers(-1, book.members, count),
        premium=random.integers(0, draw(st.sampled_from((1, 2, spread + 2, 3 * spread + 2))), count),
        green=random.random(count) < 0.4,
        zone=random.integers(-1, 3, count),
    )
    base = uniform.clear(orders, book.grid, book.members)
    return Wished(book, wishes, clear(orders, book.grid, book.members, wishes), base.price, base.allocated_wh)


@given(wished_books())
def test_buyers_get_what_they_would_without_wishes_and_the_welfare_stays(case: Wished) -> None:
    check_trades(case.orders, case.trades)
    is_buy = case.orders.is_buy
    assert (case.given[is_buy] == case.without[is_buy]).all()
    assert case.given[~is_buy].sum() == case.without[~is_buy].sum()
    best = welfare(case.orders, case.without.tolist())
    reached = welfare(case.orders, case.given.tolist())
    assert 100 * reached >= 99 * best
    offered = np.where(case.wishes.met(case.orders, case.trades), case.wishes.premium[case.trades.buy], 0)
    assert reached + sum(p * wh for p, wh in zip(offered.tolist(), case.trades.energy_wh.tolist(), strict=True)) >= best


@given(wished_books())
def test_a_premium_is_paid_for_a_wish_that_is_met_within_what_was_offered_and_goes_to_the_chosen(case: Wished) -> None:
    trades, met = case.trades, case.wishes.met(case.orders, case.trades)
    premium = trades.price - case.price
    assert (premium >= 0).all()
    assert (premium[~met] == 0).all()
    assert (premium <= case.wishes.premium[trades.buy]).all()
    assert (trades.price <= case.orders.price[trades.buy]).all()
    groups = {wish: case.wishes.groups(case.orders, wish) for wish in (Wish.PARTNER, Wish.LOCAL, Wish.GREEN)}
    of_group: dict[tuple[int, int], set[int]] = {}
    for buy, sell, paid in zip(trades.buy.tolist(), trades.sell.tolist(), premium.tolist(), strict=True):
        wish = Wish(int(case.wishes.prefer[buy]))
        if wish and groups[wish][buy] not in (NOBODY,) and groups[wish][buy] == groups[wish][sell]:
            of_group.setdefault((wish, int(groups[wish][buy])), set()).add(paid)
    assert all(len(paid) == 1 for paid in of_group.values())


@given(wished_books())
def test_no_wish_goes_unmet_while_energy_that_meets_it_is_sold_to_somebody_without_one(case: Wished) -> None:
    trades, wishes = case.trades, case.wishes
    for wish in (Wish.PARTNER, Wish.LOCAL, Wish.GREEN):
        group = wishes.groups(case.orders, wish)
        for buy, sell in zip(trades.buy.tolist(), trades.sell.tolist(), strict=True):
            if group[buy] == NOBODY or group[buy] == group[sell]:
                continue  # no such wish, or met
            there = (group[trades.sell] == group[buy]) & ~case.orders.is_buy[trades.sell]
            takers = trades.buy[there]
            assert (wishes.prefer[takers] >= wish).all()
            ahead = takers[wishes.prefer[takers] == wish]
            assert (offers(case)[ahead] >= offers(case)[buy]).all()


def offers(case: Wished) -> np.ndarray:
    """What each served buy can offer on top of the price."""
    return np.minimum(case.wishes.premium, case.orders.price - case.price)


@given(books(most_orders=16))
def test_without_wishes_it_is_the_uniform_market(book: Book) -> None:
    clearing = uniform.clear(book.orders, book.grid, book.members)
    assert clear(book.orders, book.grid, book.members).digest() == trades_of(book.orders, clearing).digest()


@given(wished_books())
def test_more_premium_never_loses_a_wish(case: Wished) -> None:
    """Among buys of one kind and group the higher offer is served first."""
    met = np.zeros(len(case.orders), np.int64)
    brought = case.wishes.met(case.orders, case.trades)
    np.add.at(met, case.trades.buy[brought], case.trades.energy_wh[brought])
    for wish in (Wish.PARTNER, Wish.LOCAL, Wish.GREEN):
        group = case.wishes.groups(case.orders, wish)
        for number in set(group[case.orders.is_buy].tolist()) - {NOBODY}:
            rows = np.flatnonzero(case.orders.is_buy & (group == number) & (case.without > 0))
            ranked = rows[np.lexsort((rows, -offers(case)[rows]))]
            for first, second in pairwise(ranked.tolist()):
                assert met[first] == case.without[first] or not met[second]


GRID = PriceGrid(0, 1000, 1)


def one_buyer(premium: int, dear: int) -> list[tuple[int, int, int]]:
    """A buyer of 10 Wh that wishes green energy, 20 Wh of brown at 100 and 10 Wh of green that is dearer."""
    orders = orders_table([0, 1, 2], [True, False, False], [500, 100, dear], [10, 20, 10])
    wishes = replace(
        Wishes.none(3),
        prefer=np.array([Wish.GREEN, 0, 0]),
        premium=np.array([premium, 0, 0]),
        green=np.array([False, False, True]),
    )
    trades = clear(orders, GRID, 3, wishes)
    return list(zip(trades.sell.tolist(), trades.energy_wh.tolist(), trades.price.tolist(), strict=True))


def test_a_dearer_green_sell_is_chosen_when_the_premium_pays_for_it() -> None:
    assert one_buyer(premium=4, dear=104) == [(2, 10, 104)]
    assert one_buyer(premium=3, dear=104) == [(1, 10, 100)]


def test_at_most_a_hundredth_of_the_welfare_is_given_up() -> None:
    """Welfare 10 x 400 = 4000 n¤; green costs 7 n¤ a Wh more, 40 n¤ are allowed: 5 Wh."""
    assert one_buyer(premium=50, dear=107) == [(2, 5, 150), (1, 5, 100)]


def test_scarce_green_energy_costs_what_the_next_would_have_given() -> None:
    orders = orders_table([0, 1, 2, 3], [True, True, False, False], [500, 500, 100, 100], [10, 10, 10, 10])
    wishes = replace(
        Wishes.none(4),
        prefer=np.array([Wish.GREEN, Wish.GREEN, 0, 0]),
        premium=np.array([30, 20, 0, 0]),
        green=np.array([False, False, True, False]),
    )
    trades = clear(orders, GRID, 4, wishes)
    base = uniform.clear(orders, GRID, 4).price
    assert trades.price.tolist() == [base + 20, base]
    assert trades.buy.tolist() == [0, 1]


def test_on_the_seeded_books_the_welfare_holds() -> None:
    for seed in (1, 2, 3):
        orders, wishes = seeded_wishes(1000, seed)
        grid = PriceGrid(80_000, 300_000, 100)
        trades = clear(orders, grid, 1000, wishes)
        best = welfare(orders, uniform.clear(orders, grid, 1000).allocated_wh.tolist())
        assert welfare(orders, trades.allocated_wh(1000).tolist()) >= 0.99 * best


def test_a_premium_below_zero_is_refused() -> None:
    orders = orders_table([0], [True], [5], [1])
    with pytest.raises(DataError, match="premium"):
        clear(orders, GRID, 1, replace(Wishes.none(1), premium=np.array([-1])))
