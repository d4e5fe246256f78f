"""Order kinds: each keeps its own rule, plain orders clear as `uniform`, and the welfare is near the best there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

from tests.strategies import Book, books, orders_table
from transactive.core.errors import RuleBroken
from transactive.core.units import PPM
from transactive.market.auction import uniform
from transactive.market.auction.blocks.call_auction import clear
from transactive.market.auction.blocks.order_kinds import BlockOrder, KindBook, KindClearing, Storage, check_kinds
from transactive.market.auction.levels import by_rank
from transactive.market.result import clear_levelled


def random_book(
    random: Random, slots: int, plain: int, blocks: int, storages: int = 0, most_wh: int = 30, lowest: int = -5
) -> KindBook:
    """Draw a small book full of ties; half of the blocks are all or nothing."""

    def window() -> tuple[int, int]:
        first = random.randrange(slots)
        return first, random.randint(1, slots - first)

    def block() -> BlockOrder:
        most = random.randint(1, most_wh)
        least = random.choice((most, random.randint(1, most)))
        return BlockOrder(random.random() < 0.5, random.randint(lowest, 45), *window(), least, most)

    def storage() -> Storage:
        sizes = (random.randint(1, most_wh), random.randint(1, 2 * most_wh))
        return Storage(random.randint(0, 5), *window(), *sizes, random.choice((PPM, 900_000, 500_000, 70_000)))

    tables = []
    for _ in range(slots):
        sides = [random.random() < 0.5 for _ in range(plain)]
        prices, energy = ([random.randint(low, high) for _ in sides] for low, high in ((lowest, 45), (1, most_wh)))
        tables.append(orders_table([0] * plain, sides, prices, energy))
    return KindBook(tuple(tables), tuple(block() for _ in range(blocks)), tuple(storage() for _ in range(storages)))


@st.composite
def kind_books(draw: st.DrawFn) -> KindBook:
    random = Random(draw(st.integers(0, 2**32)))
    slots, plain, blocks, storages = (draw(st.integers(low, high)) for low, high in ((1, 5), (0, 6), (0, 5), (0, 2)))
    return random_book(random, slots, plain, blocks, storages, draw(st.sampled_from((1, 3, 30, 10**15))))


def welfare_by_hand(book: KindBook, clearing: KindClearing) -> int:
    """Value of what was bought less cost of what was sold and given, by the limits."""
    total = 0
    for orders, allocated in zip(book.plain, clearing.plain_wh, strict=True):
        rows = zip(orders.is_buy.tolist(), orders.price.tolist(), allocated.tolist(), strict=True)
        total += sum(price * (wh if is_buy else -wh) for is_buy, price, wh in rows)
    for block, wh in zip(book.blocks, clearing.block_wh, strict=True):
        total += block.slots * block.price * (wh if block.is_buy else -wh)
    for storage, gave in zip(book.storages, clearing.discharge_wh.tolist(), strict=True):
        total -= storage.spread * sum(gave)
    return total


@given(kind_books())
def test_every_slot_balances_each_kind_keeps_its_rule_and_nobody_loses(book: KindBook) -> None:
    clearing = clear(book)
    check_kinds(book, clearing)
    assert clearing.welfare_n == welfare_by_hand(book, clearing)
    alone = clear(replace(book, blocks=(), storages=()))
    assert alone.welfare_n == alone.bound_n <= clearing.welfare_n <= clearing.bound_n
    again = clear(book)
    assert (again.price, again.block_wh, again.welfare_n) == (clearing.price, clearing.block_wh, clearing.welfare_n)
    assert again.charge_wh.tobytes() == clearing.charge_wh.tobytes()


def test_a_storage_that_loses_retreats_where_there_are_no_plain_orders() -> None:
    limits = ((False, 9, 22), (True, 31, 13), (False, 41, 30))
    blocks = tuple(
        BlockOrder(is_buy=is_buy, price=price, first=0, slots=1, least_wh=wh, most_wh=wh)
        for is_buy, price, wh in limits
    )
    storages = (Storage(1, 0, 1, 27, 40, 900_000), Storage(5, 0, 1, 6, 52, 900_000))
    book = KindBook((orders_table([], [], [], []),), blocks, storages)
    clearing = clear(book)
    check_kinds(book, clearing)
    assert clearing.welfare_n == welfare_by_hand(book, clearing) == 0


@given(st.lists(books(), min_size=1, max_size=3))
def test_plain_orders_clear_as_at_the_uniform_price(several: list[Book]) -> None:
    several = [book for book in several if len(book.orders)]
    clearing = clear(KindBook(tuple(book.orders for book in several)))
    for book, price, allocated in zip(several, clearing.price, clearing.plain_wh, strict=True):
        expected = clear_levelled(uniform.clear, book.orders, by_rank(book.orders), book.members)
        assert price == expected.price
        assert allocated.tolist() == list(expected.allocated_wh)


def best_by_trying(book: KindBook) -> int:
    """Greatest welfare of any energies of the blocks, found by trying all, at whose prices nobody need lose."""
    units = []
    for orders in book.plain:
        rows = zip(orders.price.tolist(), orders.is_buy.tolist(), orders.energy_wh.tolist(), strict=True)
        units.append(sorted((price, is_buy) for price, is_buy, wh in rows for _ in range(wh)))
    found = []
    for energies in product(*([0, *range(block.least_wh, block.most_wh + 1)] for block in book.blocks)):
        reach = [sum(is_buy for _, is_buy in slot) for slot in units]
        welfare = sum(price for slot in units for price, is_buy in slot if is_buy)
        for block, wh in zip(book.blocks, energies, strict=True):
            welfare += block.slots * block.price * (wh if block.is_buy else -wh)
            for slot in block.window:
                reach[slot] += wh if block.is_buy else -wh
        if all(0 <= at <= len(slot) for at, slot in zip(reach, units, strict=True)):
            welfare -= sum(price for at, slot in zip(reach, units, strict=True) for price, _ in slot[:at])
            found.append((welfare, energies, reach))
    for welfare, energies, reach in sorted(found, reverse=True):
        bounds = [
            (slot[at - 1][0] if at else None, slot[at][0] if at < len(slot) else None)
            for at, slot in zip(reach, units, strict=True)
        ]
        served = [block for block, wh in zip(book.blocks, energies, strict=True) if wh]
        signs = [1 if block.is_buy else -1 for block in served]
        takes = [
            [sign * (slot in block.window) for slot in range(len(units))]
            for sign, block in zip(signs, served, strict=True)
        ]
        limits = [sign * block.price * block.slots for sign, block in zip(signs, served, strict=True)]
        if not served or linprog([0] * len(units), A_ub=takes, b_ub=limits, bounds=bounds).status == 0:
            return int(welfare)
    raise AssertionError("serving no block is always possible")


def test_small_books_reach_the_best_that_prices_allow() -> None:
    random = Random(2)
    for _ in range(60):
        book = random_book(random, random.randint(1, 3), random.randint(0, 6), random.randint(1, 4), most_wh=5)
        clearing = clear(book)
        assert clearing.welfare_n == clearing.bound_n == best_by_trying(book)


@given(st.integers(0, 2**32))
def test_a_storage_alone_is_as_good_as_the_linear_program(seed: int) -> None:
    book = random_book(Random(seed), 6, 5, 0, 1, most_wh=50, lowest=0)
    storage, window = book.storages[0], book.storages[0].window
    energy, cost, rows = [], [], []
    for slot, orders in enumerate(book.plain):
        for is_buy, price, wh in zip(orders.is_buy, orders.price, orders.energy_wh, strict=True):
            energy.append(int(wh))
            cost.append(int(-price if is_buy else price))
            rows.append((slot, 1 if is_buy else -1))
    plain = len(rows)
    rows += [(slot, sign) for sign in (1, -1) for slot in window]
    energy += [storage.power_wh] * (2 * storage.slots)
    cost += [0] * storage.slots + [storage.spread] * storage.slots
    balance = np.array([[sign * (slot == at) for at, sign in rows] for slot in range(6)])
    level = np.zeros((storage.slots, len(rows)))
    for k in range(storage.slots):
        level[k, plain : plain + k + 1] = 1
        level[k, plain + storage.slots : plain + storage.slots + k + 1] = -PPM / storage.efficiency_ppm
    limits = np.concatenate([np.full(storage.slots, storage.capacity_wh), np.zeros(storage.slots)])
    levels, bounds = np.vstack([level, -level]), [(0, wh) for wh in energy]
    program = linprog(cost, A_eq=balance, b_eq=np.zeros(6), A_ub=levels, b_ub=limits, bounds=bounds)
    clearing = clear(book)
    most_rounded = 2 * 50 * storage.slots  # a Wh each way in every slot, at the widest price difference
    assert -program.fun - most_rounded <= clearing.welfare_n <= clearing.bound_n
    assert clearing.bound_n >= -program.fun - 1e-6


def served() -> tuple[KindBook, KindClearing]:
    """A plain sell in two slots, a block that takes both, and a storage."""
    slots = tuple(orders_table([0, 0], [False, True], [price, 90], [20, 5]) for price in (10, 40))
    book = KindBook(
        slots,
        (BlockOrder(is_buy=True, price=50, first=0, slots=2, least_wh=6, most_wh=6),),
        (Storage(5, 0, 2, 4, 4, 500_000),),
    )
    return book, clear(book)


def test_the_book_of_the_next_test_trades_all_kinds() -> None:
    _, clearing = served()
    assert clearing.block_wh == (6,)
    assert clearing.charge_wh.tolist() == [[4, 0]]
    assert clearing.discharge_wh.tolist() == [[0, 2]]
    assert clearing.price == (10, 40)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"block_wh": (5,)}, "from least to most"),
        ({"block_wh": (0,)}, "Wh bought = Wh sold"),
        ({"price": (10, 99)}, "beyond its limit"),
        ({"price": (None, 40)}, "without a price"),
        ({"discharge_wh": np.array([[0, 3]])}, "Wh bought = Wh sold"),
        ({"charge_wh": np.array([[0, 0]])}, "Wh bought = Wh sold"),
        ({"plain_wh": (np.array([21, 5]), np.array([9, 5]))}, "more than its quantity"),
    ],
)
def test_a_broken_rule_is_found(change, rule) -> None:
    book, clearing = served()
    with pytest.raises(RuleBroken, match=rule):
        check_kinds(book, replace(clearing, **change))
