"""Listings: nothing is sold twice, late or dearer than agreed, and every step is that of the trade board's twin."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Book, books, orders_table
from tests.twins.trade_board import TradeBoardTwin
from transactive.chain.twins.registry import ALL_ROLES, RegistryTwin
from transactive.core.errors import ContractRevert, DataError
from transactive.core.tariff import PriceGrid
from transactive.market.orderbook.listings import NEVER, NONE, Board, Deal, ListingRefusal, ListingSteps, clear
from transactive.market.trades import check_trades

SLOT, GATE = 36_000, 600
MEMBERS = ("a", "b", "c", "d")


class Pair:
    """A board and the contract's twin that go the same way. twin_of: place of each listing in the twin."""

    def __init__(self) -> None:
        registry = RegistryTwin(owner="o", registrar="r", operator="p", delay=0)
        for name in MEMBERS:
            registry.register("r", name, ALL_ROLES)
        self.twin = TradeBoardTwin(registry, slot_seconds=3600, gate_seconds=GATE, window=60)
        self.board = Board(gate_s=SLOT - GATE)
        self.twin_of: list[int] = []
        self.deals: list[Deal] = []

    def same(self, own, twin_step) -> None:
        """The twin's step refuses for the reason for which ours did, or both do it."""
        try:
            twin_step()
            reason = None
        except ContractRevert as revert:
            reason = str(revert).removeprefix("trade_board: ")
        assert (str(own) if isinstance(own, ListingRefusal) else None) == reason

    def put(self, member: int, price: int, energy: int, now: int, expiry: int, is_sale: bool) -> None:
        twin, name = self.twin, MEMBERS[member]
        number = self.board.put(member, price, energy, now, expiry or None, is_sale=is_sale)
        place = len(twin.trades if is_sale else twin.requests)
        step = twin.add_available_trade if is_sale else twin.request_energy
        self.same(number, lambda: step(name, SLOT, energy, price, expiry, now))
        if not isinstance(number, ListingRefusal):
            self.twin_of.append(place)

    def take(self, member: int, number: int, energy: int, now: int) -> None:
        found, name, place = self.board.listings[number], MEMBERS[member], self.twin_of[number]
        deal = self.board.take(member, number, energy, now)
        if found.is_sale:
            self.same(deal, lambda: self.twin.buy_energy(name, place, energy, found.price * energy, now))
        else:
            self.same(deal, lambda: self.twin.sell_energy(name, place, energy, now))
        if isinstance(deal, Deal):
            self.deals.append(deal)

    def cancel(self, member: int, number: int) -> None:
        found, name, place = self.board.listings[number], MEMBERS[member], self.twin_of[number]
        step = self.twin.cancel_trade if found.is_sale else self.twin.cancel_request
        self.same(self.board.cancel(member, number), lambda: step(name, place))

    def check(self) -> None:
        for listing, place in zip(self.board.listings, self.twin_of, strict=True):
            assert listing.left_wh == (self.twin.trades if listing.is_sale else self.twin.requests)[place].remaining
        for member in range(len(MEMBERS)):
            assert self.twin.bought[SLOT, member] == sum(d.energy_wh for d in self.deals if d.buyer == member)
            assert self.twin.sold[SLOT, member] == sum(d.energy_wh for d in self.deals if d.seller == member)
        requested = sum(x.price * x.left_wh for x in self.board.listings if not x.is_sale)
        held = sum(self.twin.credits.values()) + requested + sum(d.energy_wh * d.price for d in self.deals)
        assert held == self.twin.holdings()


@given(st.integers(0, 2**32))
def test_every_step_is_that_of_the_trade_board(seed: int) -> None:
    random, pair, now = Random(seed), Pair(), 0
    for _ in range(random.randint(1, 40)):
        now = min(now + random.choice((0, 1, 500)), SLOT - GATE - 1)
        member, energy = random.randrange(len(MEMBERS)), random.choice((0, 1, 5, 40))
        if not pair.board.listings or random.random() < 0.4:
            expiry = random.choice((0, 0, now, now + 1, now + 700, SLOT - GATE, SLOT))
            pair.put(member, random.randint(1, 9), energy, now, expiry, random.random() < 0.7)
        elif random.random() < 0.8:
            pair.take(member, random.randrange(len(pair.board.listings)), energy, now + random.choice((0, 1, 3000)))
        else:
            pair.cancel(member, random.randrange(len(pair.board.listings)))
    pair.check()


@given(st.integers(0, 2**32))
def test_the_cheapest_is_what_a_careful_buyer_would_name(seed: int) -> None:
    """Buying the cheapest does what naming it, listing after listing, does."""
    random, board, by_name = Random(seed), Board(), Board()
    for now in range(random.randint(1, 40)):
        member, energy, price = random.randrange(4), random.randint(1, 20), random.randint(-3, 9)
        if random.random() < 0.5:
            for each in (board, by_name):
                each.put(member, price, energy, now, now + 9, is_sale=True)
            continue
        found, wanted = list(board.take_cheapest(member, price, energy, now)), list[Deal]()
        for number in sorted(range(len(by_name.listings)), key=lambda n: (by_name.listings[n].price, n)):
            listing = by_name.listings[number]
            part = min(listing.left_wh, energy - sum(deal.energy_wh for deal in wanted))
            deal = by_name.take(member, number, part, now) if listing.price <= price else ListingRefusal.AMOUNT
            wanted += [deal] if isinstance(deal, Deal) else []
        assert found == wanted
        assert board.listings == by_name.listings


@given(books(most_orders=12), st.integers(0, 2**32))
def test_no_order_is_overfilled_beyond_its_limit_or_late(book: Book, seed: int) -> None:
    orders, random = book.orders, np.random.default_rng(seed)
    count = len(orders)
    named = np.full(count, NONE)
    for row in range(count):
        others = np.flatnonzero(orders.is_buy != orders.is_buy[row])
        if len(others) and random.random() < 0.4:
            named[row] = random.choice(others)
    at = random.integers(0, 4, count)
    steps = ListingSteps(at, named, at + random.integers(1, 4, count))
    trades = clear(orders, book.grid, book.members, steps)
    check_trades(orders, trades)
    assert trades.digest() == clear(orders, book.grid, book.members, steps).digest()
    for buy, sell, price in zip(trades.buy.tolist(), trades.sell.tolist(), trades.price.tolist(), strict=True):
        assert orders.member[buy] != orders.member[sell]
        taker, listed = (buy, sell) if named[sell] == NONE else (sell, buy)
        assert price == orders.price[listed]
        assert at[listed] <= at[taker] < steps.expires_s[listed]
        assert named[taker] in (NONE, listed)


def test_listings_by_hand() -> None:
    """Two sales, one buyer who names the dear one, one who takes the cheapest, one request that is answered."""
    orders = orders_table(
        [0, 1, 2, 3, 2, 0],
        [False, False, True, True, True, False],
        [100, 120, 150, 130, 110, 105],
        [50, 60, 20, 70, 30, 25],
    )
    named = np.array([NONE, NONE, 1, NONE, NONE, 4])
    steps = ListingSteps(np.zeros(6, np.int64), named, np.full(6, NEVER))
    trades = clear(orders, PriceGrid(0, 1000, 1), 4, steps)
    columns = (trades.buy, trades.sell, trades.energy_wh, trades.price)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [
        (2, 1, 20, 120),
        (3, 0, 50, 100),
        (3, 1, 20, 120),
        (4, 5, 25, 110),
    ]


def test_a_listing_of_the_own_side_cannot_be_named() -> None:
    orders = orders_table([0, 1], [True, True], [5, 5], [1, 1])
    steps = replace(ListingSteps.none(2), named=np.array([NONE, 0]))
    with pytest.raises(DataError, match="a buy names a sell"):
        clear(orders, PriceGrid(0, 10, 1), 2, steps)
