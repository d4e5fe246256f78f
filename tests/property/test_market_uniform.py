"""Uniform-price clearing against a reference in plain Python that looks at every price and sums every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise, product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Book, books, orders_table
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction.allocation import allocate, by_largest_remainder, by_prefix, mul_div, shard_offsets
from transactive.market.auction.crossing import find_crossing
from transactive.market.auction.uniform import clear, tick_indices
from transactive.market.book import histogram, merge, pack_keys

Rounding = Callable[[Sequence[int], int], list[int]]


def choose_price(prices: Sequence[int], demand: Sequence[int], supply: Sequence[int]) -> int | None:
    """Position of the price by the rules as they are written, or None for no trade."""
    volume = max(map(min, demand, supply))
    if volume == 0:
        return None
    tied = [k for k in range(len(prices)) if min(demand[k], supply[k]) == volume]
    least = min(abs(demand[k] - supply[k]) for k in tied)
    tied = [k for k in tied if abs(demand[k] - supply[k]) == least]
    if least == 0:
        return tied[(len(tied) - 1) // 2]
    excess_demand = [k for k in tied if demand[k] > supply[k]]
    return excess_demand[-1] if excess_demand else tied[0]


def largest_remainder(energy: Sequence[int], total: int) -> list[int]:
    whole = sum(energy) or 1
    share = [e * total // whole for e in energy]
    by_rest = sorted(range(len(energy)), key=lambda i: (-(energy[i] * total % whole), i))
    for i in by_rest[: total - sum(share)]:
        share[i] += 1
    return share


def prefix_rounding(energy: Sequence[int], total: int) -> list[int]:
    whole = sum(energy) or 1
    running = [sum(energy[:i]) * total // whole for i in range(len(energy) + 1)]
    return [after - before for before, after in pairwise(running)]


def reference(book: Book, rounding: Rounding) -> tuple[int | None, int, list[int]]:
    """Price (None without a trade), volume [Wh] and allocation [Wh]; O(prices x orders)."""
    is_buy, limit, energy = (
        column.tolist() for column in (book.orders.is_buy, book.orders.price, book.orders.energy_wh)
    )
    rows = range(len(limit))
    prices = [book.grid.price(k) for k in range(book.grid.size)]
    demand = [sum(energy[i] for i in rows if is_buy[i] and limit[i] >= p) for p in prices]
    supply = [sum(energy[i] for i in rows if not is_buy[i] and limit[i] <= p) for p in prices]
    chosen = choose_price(prices, demand, supply)
    allocation = [0] * len(limit)
    if chosen is None:
        return None, 0, allocation
    price, volume = prices[chosen], min(demand[chosen], supply[chosen])
    for side in (True, False):
        rest = volume
        for i in rows:
            if is_buy[i] == side and (limit[i] > price if side else limit[i] < price):
                allocation[i] = energy[i]
                rest -= energy[i]
        margin = [i for i in rows if is_buy[i] == side and limit[i] == price]
        for i, part in zip(margin, rounding([energy[i] for i in margin], rest), strict=True):
            allocation[i] = part
    return price, volume, allocation


def greedy_volume(orders: Orders) -> int:
    """Volume by crossing two sorted queues: a second opinion that knows nothing of curves."""
    columns = zip(orders.is_buy.tolist(), orders.price.tolist(), orders.energy_wh.tolist(), strict=True)
    rows = list(columns)
    buys = sorted(([limit, wh] for is_buy, limit, wh in rows if is_buy), reverse=True)
    sells = sorted([limit, wh] for is_buy, limit, wh in rows if not is_buy)
    volume = 0
    while buys and sells and buys[0][0] >= sells[0][0]:
        traded = min(buys[0][1], sells[0][1])
        volume += traded
        for queue in (buys, sells):
            queue[0][1] -= traded
            if not queue[0][1]:
                queue.pop(0)
    return volume


def welfare(orders: Orders, allocation: Sequence[int]) -> int:
    """Value to buyers less cost of sellers [n¤], in whole numbers of any size."""
    rows = zip(orders.is_buy.tolist(), orders.price.tolist(), allocation, strict=True)
    return sum(price * int(wh) * (1 if is_buy else -1) for is_buy, price, wh in rows)


@given(books())
def test_equals_the_reference_in_price_volume_and_every_wh(book: Book) -> None:
    for rounding, shardable in ((largest_remainder, False), (prefix_rounding, True)):
        price, volume, allocation = reference(book, rounding)
        clearing = clear(book.orders, book.grid, book.members, shardable=shardable)
        assert clearing.traded_wh == volume
        assert clearing.allocated_wh.tolist() == allocation
        if price is not None:
            assert clearing.price == price


@given(books())
def test_bought_is_sold_and_nobody_goes_beyond_limit_or_quantity(book: Book) -> None:
    orders, clearing = book.orders, clear(book.orders, book.grid, book.members)
    got, wanted = clearing.allocated_wh, orders.energy_wh
    buys, sells = orders.is_buy, ~orders.is_buy
    assert got[buys].sum() == got[sells].sum() == clearing.traded_wh == greedy_volume(orders)
    assert clearing.bought_wh.sum() == clearing.sold_wh.sum() == clearing.traded_wh
    assert ((got >= 0) & (got <= wanted)).all()
    assert not got[buys & (orders.price < clearing.price)].any()
    assert not got[sells & (orders.price > clearing.price)].any()
    if clearing.traded_wh:
        better = np.where(buys, orders.price > clearing.price, orders.price < clearing.price)
        assert (got[better] == wanted[better]).all(), "better than the price means served in full"
    for member in range(book.members):
        assert clearing.bought_wh[member] == got[buys & (orders.member == member)].sum()
        assert clearing.sold_wh[member] == got[sells & (orders.member == member)].sum()


@given(st.data())
def test_no_other_allocation_has_a_higher_welfare(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 5))
    small = st.lists(st.integers(0, 2), min_size=count, max_size=count)
    is_buy = data.draw(st.lists(st.booleans(), min_size=count, max_size=count))
    orders = orders_table([0] * count, is_buy, data.draw(small), [wh + 1 for wh in data.draw(small)])
    found = welfare(orders, clear(orders, PriceGrid(0, 2, 1), 1).allocated_wh.tolist())
    for wh in product(*(range(most + 1) for most in orders.energy_wh.tolist())):
        bought = sum(part for part, buy in zip(wh, is_buy, strict=True) if buy)
        if 2 * bought == sum(wh):
            assert welfare(orders, wh) <= found


@given(books(), st.randoms(use_true_random=False))
def test_the_order_of_the_book_matters_for_exact_ties_only(book: Book, random) -> None:
    rows = list(range(len(book.orders)))
    random.shuffle(rows)
    mixed = Orders(
        book.orders.slot, *(column[rows] for name, column in book.orders.columns().items() if name != "slot")
    )
    one, two = clear(book.orders, book.grid, book.members), clear(mixed, book.grid, book.members)
    assert (one.price, one.traded_wh) == (two.price, two.traded_wh)
    alike: dict[tuple[bool, int, int], tuple[list[int], list[int]]] = {}
    for i in range(len(rows)):
        for which, (orders, result) in enumerate(((book.orders, one), (mixed, two))):
            kind = (bool(orders.is_buy[i]), int(orders.price[i]), int(orders.energy_wh[i]))
            alike.setdefault(kind, ([], []))[which].append(int(result.allocated_wh[i]))
    margin: dict[tuple[bool, int], list[int]] = {}
    for (is_buy, price, _), (before, after) in alike.items():
        if sorted(before) != sorted(after):  # only a Wh that several remainders tie for may have moved
            assert max(before + after) - min(before + after) <= 1
            margin.setdefault((is_buy, price), []).append(sum(after) - sum(before))
    assert all(sum(moved) == 0 for moved in margin.values())


@given(books(most_orders=30), st.lists(st.integers(0, 30), max_size=5))
def test_shards_of_a_book_clear_like_the_whole(book: Book, cuts: list[int]) -> None:
    ticks = book.grid.size
    keys = pack_keys(tick_indices(book.orders.price, book.grid), book.orders.is_buy, ticks)
    cuts = sorted(min(cut, len(keys)) for cut in cuts)
    shards = list(zip(np.split(keys, cuts), np.split(book.orders.energy_wh, cuts), strict=True))
    histograms = [histogram(*shard, ticks) for shard in shards]
    crossing = find_crossing(merge(histograms))
    offsets = shard_offsets(histograms, crossing)
    parts = [allocate(*shard, crossing, before) for shard, before in zip(shards, offsets, strict=True)]
    whole = clear(book.orders, book.grid, book.members, shardable=True)
    assert crossing.volume == whole.traded_wh
    assert np.concatenate(parts).tolist() == whole.allocated_wh.tolist()


@given(st.data())
def test_mul_div_is_exact_to_124_bits(data: st.DataObject) -> None:
    whole = data.draw(st.integers(1, 2 ** data.draw(st.sampled_from((8, 31, 32, 40, 62)))))
    total = data.draw(st.integers(0, whole))
    amounts = [*data.draw(st.lists(st.integers(0, whole), max_size=20)), 0, whole]
    quotient, remainder = mul_div(np.array(amounts, np.int64), total, whole)
    expected = [divmod(amount * total, whole) for amount in amounts]
    assert list(zip(quotient.tolist(), remainder.tolist(), strict=True)) == expected


@given(st.lists(st.integers(1, 2**57), min_size=1, max_size=20), st.data())
def test_both_roundings_split_the_total_within_one_wh(energy: list[int], data: st.DataObject) -> None:
    whole = sum(energy)
    total = data.draw(st.integers(0, whole))
    for rule in (by_largest_remainder, by_prefix):
        parts = rule(np.array(energy, np.int64), total, whole).tolist()
        assert sum(parts) == total
        for part, wanted in zip(parts, energy, strict=True):
            assert 0 <= part <= wanted
            assert abs(part * whole - wanted * total) < whole
