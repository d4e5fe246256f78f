"""Uniform price: the worked slot, the tie rules one by one, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.strategies import orders_table
from transactive.core.errors import DataError, InputError, RuleBroken
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market import book
from transactive.market.auction import uniform
from transactive.market.auction.allocation import allocate, shard_offsets
from transactive.market.auction.crossing import find_crossing
from transactive.market.auction.uniform import clear
from transactive.market.book import histogram, merge, pack_keys
from transactive.market.rules import check_clearing

GRID = PriceGrid(80_000, 250_000, 100)
FIVE = PriceGrid(0, 4, 1)


def worked_slot() -> Orders:
    """A and B sell, C and D buy."""
    return orders_table(
        [0, 1, 2, 3],
        [False, False, True, True],
        [80_000, 120_000, 250_000, 200_000],
        [2000, 1500, 1800, 1000],
        slot=7200,
    )


def book_of(*rows: tuple[str, int, int]) -> Orders:
    """Orders of one member from ("buy" or "sell", price, Wh)."""
    return orders_table(
        [0] * len(rows),
        [side == "buy" for side, _, _ in rows],
        [price for _, price, _ in rows],
        [wh for _, _, wh in rows],
    )


def test_the_worked_slot() -> None:
    clearing = clear(worked_slot(), GRID, 4)
    assert (clearing.slot, clearing.price, clearing.traded_wh) == (7200, 120_000, 2800)
    assert clearing.allocated_wh.tolist() == [2000, 800, 1800, 1000]
    assert clearing.bought_wh.tolist() == [0, 0, 1800, 1000]
    assert clearing.sold_wh.tolist() == [2000, 800, 0, 0]
    assert {column.dtype for column in (clearing.allocated_wh, clearing.bought_wh)} == {np.dtype(np.int64)}


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param((), id="empty"),
        pytest.param((("buy", 3, 5), ("buy", 4, 1)), id="buys only"),
        pytest.param((("sell", 0, 5), ("sell", 1, 1)), id="sells only"),
        pytest.param((("buy", 1, 5), ("sell", 2, 5)), id="uncrossed"),
    ],
)
def test_nothing_trades_without_two_sides_that_cross(rows) -> None:
    clearing = clear(book_of(*rows), FIVE, 2)
    assert clearing.traded_wh == 0
    assert clearing.allocated_wh.tolist() == [0] * len(rows)
    assert clearing.bought_wh.tolist() == clearing.sold_wh.tolist() == [0, 0]
    assert clearing.price == FIVE.floor


@pytest.mark.parametrize(
    ("rows", "price"),
    [
        pytest.param((("buy", 3, 9), ("sell", 1, 5)), 3, id="excess demand takes the highest tied price"),
        pytest.param((("buy", 3, 5), ("sell", 1, 9)), 1, id="excess supply takes the lowest"),
        pytest.param((("buy", 3, 5), ("sell", 1, 5)), 2, id="balance takes the middle"),
        pytest.param((("buy", 4, 5), ("sell", 1, 5)), 2, id="the lower of two middles"),
        pytest.param((("buy", 4, 5), ("buy", 2, 1), ("sell", 1, 5)), 3, id="least imbalance before ties"),
        pytest.param((("buy", 4, 6), ("buy", 2, 3), ("sell", 0, 5), ("sell", 3, 3)), 3, id="volume before imbalance"),
        pytest.param(
            (("buy", 3, 5), ("buy", 1, 1), ("sell", 1, 5), ("sell", 2, 1)), 1, id="excess 1 and −1: the lower"
        ),
    ],
)
def test_tie_rules(rows, price) -> None:
    assert clear(book_of(*rows), FIVE, 1).price == price


def test_marginal_orders_share_pro_rata_with_the_remainder_to_the_largest_then_the_first() -> None:
    orders = book_of(("sell", 1, 10), ("buy", 1, 7), ("buy", 1, 7), ("buy", 1, 7), ("buy", 4, 1))
    assert clear(orders, FIVE, 1).allocated_wh.tolist() == [10, 3, 3, 3, 1]
    short = replace(orders, energy_wh=np.array([9, 7, 7, 7, 1]))
    assert clear(short, FIVE, 1).allocated_wh.tolist() == [9, 3, 3, 2, 1]


def test_the_shardable_rule_shares_by_running_sum() -> None:
    orders = book_of(("sell", 1, 8), ("buy", 1, 7), ("buy", 1, 7), ("buy", 1, 7))
    assert clear(orders, FIVE, 1).allocated_wh.tolist() == [8, 3, 3, 2]
    assert clear(orders, FIVE, 1, shardable=True).allocated_wh.tolist() == [8, 2, 3, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"price": [80_000, 120_050, 250_000, 200_000]}, r"order 1: price 120050 .* 80000 … 250000 by 100"),
        ({"price": [80_000, 120_000, 250_100, 200_000]}, "order 2: price 250100"),
        ({"price": [79_900, 120_000, 250_000, 200_000]}, "order 0: price 79900"),
        ({"price": [-(2**63), 120_000, 250_000, 200_000]}, "order 0: price -9223372036854775808"),
        ({"energy_wh": [2000, 1500, 1800, 0]}, "order 3: energy 0 Wh"),
        ({"energy_wh": [2000, -1, 1800, 0]}, "order 1: energy -1 Wh"),
        ({"member": [0, 1, 2, 4]}, "order 3: member 4"),
        ({"member": [0, -1, 2, 3]}, "order 1: member -1"),
        ({"price": [80_000]}, "one row per order"),
        ({"energy_wh": [2**62, 1, 1, 1]}, "at most 4611686018427387904"),
    ],
)
def test_bad_orders_are_refused_by_row(change, message) -> None:
    columns: dict[str, Any] = {name: np.array(values, np.int64) for name, values in change.items()}
    with pytest.raises(DataError, match=message):
        clear(replace(worked_slot(), **columns), GRID, 4)


def test_quantities_up_to_the_limit_clear_exactly() -> None:
    half = 2**61
    orders = book_of(("sell", 1, half), ("buy", 1, half - 3), ("buy", 1, 3))
    assert clear(orders, FIVE, 1).allocated_wh.tolist() == [half, half - 3, 3]
    orders = book_of(("sell", 1, half - 7), ("buy", 1, half - 3), ("buy", 1, 3))
    assert clear(orders, FIVE, 1).allocated_wh.tolist() == [half - 7, half - 10, 3]


def test_a_fine_grid_takes_wider_keys_and_a_senseless_one_is_refused() -> None:
    side = np.array([False, True])
    for ticks, kind in ((32_768, np.uint16), (32_769, np.uint32)):
        keys = pack_keys(np.array([ticks - 1, ticks - 1]), side, ticks)
        assert keys.dtype == kind
        assert keys.tolist() == [ticks - 1, 2 * ticks - 1]
        clearing = clear(book_of(("sell", 0, 5), ("buy", ticks - 1, 5)), PriceGrid(0, ticks - 1, 1), 1)
        assert clearing.traded_wh == 5
    with pytest.raises(InputError, match="use a larger tick"):
        clear(book_of(("sell", 0, 5)), PriceGrid(0, 2**24, 1), 1)


def test_large_shards_of_small_energies_agree_with_one_book_of_wide_ones() -> None:
    random = np.random.default_rng(3)
    orders, ticks = 3 * book.CHUNK + 17, 40
    keys = pack_keys(random.integers(0, ticks, orders), random.random(orders) < 0.5, ticks)
    energy = random.integers(1, 5000, orders, dtype=np.int32)
    crossing = find_crossing(histogram(keys, energy, ticks))
    whole = allocate(keys, energy, crossing, before=0)
    assert whole.dtype == np.int32
    assert np.array_equal(whole, allocate(keys, energy.astype(np.int64), crossing, before=0))
    used = np.full_like(energy, 7)
    assert allocate(keys, energy, crossing, before=0, out=used) is used
    assert np.array_equal(whole, used)
    assert not allocate(keys, energy, find_crossing(np.zeros(2 * ticks, np.int64)), out=used).any()
    cuts = np.sort(random.integers(0, orders, 7))
    shards = list(zip(np.split(keys, cuts), np.split(energy, cuts), strict=True))
    histograms = [histogram(*shard, ticks) for shard in shards]
    assert find_crossing(merge(histograms)) == crossing
    offsets = shard_offsets(histograms, crossing)
    parts = [allocate(*shard, crossing, before) for shard, before in zip(shards, offsets, strict=True)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_shards_together_may_not_pass_the_limit_either() -> None:
    half = np.array([0, 2**61 + 1])
    assert merge([half]).tolist() == half.tolist()
    with pytest.raises(DataError, match="wrong unit"):
        merge([half, half, half])
    with pytest.raises(ValueError, match="no histogram"):
        merge([])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"allocated_wh": [2000, 800, 1800, 900]}, "bought = Wh sold"),
        ({"allocated_wh": [2001, 799, 1800, 1000]}, "quantity"),
        ({"traded_wh": 0, "allocated_wh": [-1, 1, 0, 0], "bought_wh": [0], "sold_wh": [0]}, "quantity"),
        ({"bought_wh": [0, 0, 1800, 1001]}, "members"),
        ({"price": 119_900}, "limit"),
        ({"price": 200_100}, "limit"),
    ],
)
def test_a_broken_clearing_is_noticed(change, rule) -> None:
    clearing = clear(worked_slot(), GRID, 4)
    check_clearing(worked_slot(), clearing)
    columns: dict[str, Any] = {
        name: value if isinstance(value, int) else np.array(value) for name, value in change.items()
    }
    with pytest.raises(RuleBroken, match=rule):
        check_clearing(worked_slot(), replace(clearing, **columns))


def test_every_clearing_is_checked_before_it_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uniform, "allocate", lambda keys, energy, crossing, before: energy)
    with pytest.raises(RuleBroken, match="bought = Wh sold"):
        clear(worked_slot(), GRID, 4)
