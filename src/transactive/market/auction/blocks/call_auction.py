"""A call auction over consecutive slots with order kinds: one price a slot, exact for plain orders and curves.

Without blocks and storages every slot is `uniform`: the optimum. With them the book is a mixed-integer program, and a
price that suits everybody need not exist; as on Europe's day-ahead market, a block that would lose at the prices is
never served, while one that would gain may go without. `search` climbs from the plain orders' optimum, so the welfare
is never below that. A book of few blocks and no storage is then cleared exactly (`exact`). How far another may be below
the best is said with each result: whatever the allocation, its welfare is at most the sum of what everybody would gain
at will at these prices (Lagrangian duality), `bound_n`.

Source of the rules: Madani, Van Vyve 2015, European J. of Operational Research 246(3), on uniform prices with blocks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.errors import require
from transactive.core.units import IntArray
from transactive.market.auction.blocks.block_prices import suiting_prices
from transactive.market.auction.blocks.exact import MOST_BLOCKS, BranchAndBound
from transactive.market.auction.blocks.order_kinds import KindBook, KindClearing, Storage, check_book, check_kinds
from transactive.market.auction.blocks.search import Search, State
from transactive.market.auction.blocks.stack import Interval
from transactive.market.auction.blocks.storage_schedule import AtPrice, improve, taken_wh, tidy, without_rest
from transactive.market.book import check_total, refuse_beyond

EIGHTHS = 8
"""Steps in which a storage that loses does less."""
MOST_PASSES = 8
"""Passes in which prices move inside their intervals to suit those that would lose."""


def clear(book: KindBook) -> KindClearing:
    """Clear a book; Wh bought = Wh sold in every slot, nobody beyond limit or quantity, no block at a loss.

    Raises DataError for an impossible block or storage and for a book of more than 2**62 Wh.
    """
    check_book(book)
    for orders in book.plain:
        check_total(orders.energy_wh)
    whole = sum(int(orders.energy_wh.sum()) for orders in book.plain) + sum(block.most_wh for block in book.blocks)
    refuse_beyond(whole + sum(storage.power_wh + storage.capacity_wh for storage in book.storages))
    search = Search(book)
    alone = search.state()
    prices = _settle(search, alone)
    bound = _bound(search, prices)
    if book.blocks and len(book.blocks) <= MOST_BLOCKS and not book.storages:
        prices, least = _exact(search, prices)
        bound = min(bound, least)
    clearing = _result(search, prices, bound)
    check_kinds(book, clearing)
    require(
        alone[0] <= clearing.welfare_n <= clearing.bound_n, "the welfare is between that of plain orders and its bound"
    )
    return clearing


def _settle(search: Search, alone: State) -> list[int]:
    """Find a state and prices at which nobody loses; where there are none, the one that loses most is barred.

    alone: the state with plain orders only, from which the search begins anew should it ever fall below.
    """
    while True:
        search.climb()
        search.force()
        if search.welfare_n < alone[0]:
            search.go_back(alone)
            continue
        prices = _prices(search)
        losses = [(search.book.blocks[n].surplus(prices) * wh, 0, n) for n, wh in enumerate(search.block_wh)]
        losses += [(_profit(search, n, prices), 1, n) for n in range(len(search.change))]
        loss, kind, number = min(losses, default=(0, 0, 0))
        if loss >= 0:
            return prices
        if kind:
            _retreat(search, number)
        else:
            search.barred_blocks.add(number)
            search.put(number, 0)


def _exact(search: Search, prices: list[int]) -> tuple[list[int], int]:
    """Put the blocks to their best energies; gives prices, and the welfare that none exceeds at which nobody loses."""

    def middles(taken: Sequence[int]) -> list[int]:
        return [(low + high) // 2 for low, high in _intervals(search, taken)]

    start = list(search.block_wh), prices
    found = BranchAndBound(search.stacks, search.book.blocks, middles, start).run()
    for number, wh in enumerate(found.block_wh):
        search.put(number, wh)
    return found.prices, found.bound_n


def _retreat(search: Search, number: int) -> None:
    """Give a storage that loses less and less until it does not, or nothing; after that it answers no more."""
    storage, full = search.book.storages[number], search.change[number]
    parts = range(EIGHTHS - 1, 0, -1) if number not in search.barred_storages else ()
    search.barred_storages.add(number)
    for part in parts:
        less = [-(-u * part // EIGHTHS) for u in full]  # charges rounded up, discharges down
        search.put_storage(number, without_rest(tidy(storage, less)))
        if _profit(search, number, _prices(search)) >= 0:
            return
    search.put_storage(number, [0] * storage.slots)


def _prices(search: Search) -> list[int]:
    """Prices of all slots [µ¤/kWh]: the middle of each interval, moved where somebody would lose."""
    prices = [(low + high) // 2 for low, high in _intervals(search, search.taken)]
    closed = [stack.closed_prices(taken) for stack, taken in zip(search.stacks, search.taken, strict=True)]
    if not search.book.storages:
        served = [block for block, wh in zip(search.book.blocks, search.block_wh, strict=True) if wh]
        found = suiting_prices(served, closed, prices)
        if found is not None:
            return found
    intervals = _within(search, closed)
    for _ in range(MOST_PASSES):
        before = list(prices)
        for block, wh in zip(search.book.blocks, search.block_wh, strict=True):
            if wh:
                _suit(
                    prices,
                    intervals,
                    [(slot, 1 if block.is_buy else -1) for slot in block.window],
                    -block.surplus(prices),
                )
        for number, storage in enumerate(search.book.storages):
            moves = zip(storage.window, (taken_wh(storage, u) for u in search.change[number]), strict=True)
            _suit(prices, intervals, [(slot, wh) for slot, wh in moves if wh], -_profit(search, number, prices))
        if prices == before:
            break
    return prices


def _suit(prices: list[int], intervals: list[tuple[int, int]], takes: list[tuple[int, int]], loss: int) -> None:
    """Lower prices where somebody takes [Wh] and raise them where it gives, until its loss [n¤] is gone."""
    for slot, wh in takes:
        if loss <= 0:
            return
        low, high = intervals[slot]
        room = prices[slot] - low if wh > 0 else high - prices[slot]
        step = min(room, -(-loss // abs(wh)))
        prices[slot] -= step if wh > 0 else -step
        loss -= step * abs(wh)


def _intervals(search: Search, taken: Sequence[int]) -> list[tuple[int, int]]:
    """Prices that suit the plain orders best while they give so much, as `uniform` chooses among ties."""
    return _within(search, [stack.prices(given) for stack, given in zip(search.stacks, taken, strict=True)])


def _within(search: Search, found: Sequence[Interval]) -> list[tuple[int, int]]:
    """Intervals of prices; where nothing bounds them, the book's limits do."""
    limits = [block.price for block in search.book.blocks]
    for orders in search.book.plain:
        limits += [int(orders.price.min()), int(orders.price.max())] if len(orders) else []
    floor, cap = min(limits, default=0), max(limits, default=0)
    bounded = []
    for low, high in found:
        bottom = min(floor, cap if high is None else high) if low is None else low
        bounded.append((bottom, max(cap, bottom) if high is None else high))
    return bounded


def _profit(search: Search, number: int, prices: list[int]) -> int:
    """What a storage earns beyond its spread [n¤]."""
    return _earned(search.book.storages[number], search.change[number], prices)


def _earned(storage: Storage, change: list[int], prices: list[int]) -> int:
    """What a schedule earns beyond the spread [n¤]."""
    earned = 0
    for slot, u in zip(storage.window, change, strict=True):
        wh = taken_wh(storage, u)
        earned -= wh * prices[slot] + max(-wh, 0) * storage.spread
    return earned


def _bound(search: Search, prices: list[int]) -> int:
    """Greatest welfare of any allocation: what everybody would gain at will at these prices [n¤]."""
    missed = 0
    for block, wh in zip(search.book.blocks, search.block_wh, strict=True):
        surplus = block.surplus(prices)
        missed += max(surplus, 0) * block.most_wh - surplus * wh
    for number, storage in enumerate(search.book.storages):
        missed += _most_profit(storage, prices) - _profit(search, number, prices)
    return search.welfare_n + missed


def _most_profit(storage: Storage, prices: list[int]) -> int:
    """Most that a storage could earn beyond its spread [n¤], were what it gives not rounded down; rounded up."""
    sides = [AtPrice(storage, prices[slot]) for slot in storage.window]
    change = improve(storage, [0] * storage.slots, sides)
    cost = sum(side.cost(u) for side, u in zip(sides, change, strict=True))
    return -(cost // sides[0].factor)


def _result(search: Search, prices: list[int], bound: int) -> KindClearing:
    """The state as a clearing."""
    book = search.book
    charge, discharge = (np.zeros((len(book.storages), len(book.plain)), np.int64) for _ in range(2))
    for number, storage in enumerate(book.storages):
        for slot, u in zip(storage.window, search.change[number], strict=True):
            wh = taken_wh(storage, u)
            charge[number, slot], discharge[number, slot] = max(wh, 0), max(-wh, 0)
    plain = [stack.allocate(taken) for stack, taken in zip(search.stacks, search.taken, strict=True)]
    moved = _moved(book, plain, search.block_wh, charge, discharge)
    shown = tuple(price if wh else None for price, wh in zip(prices, moved, strict=True))
    return KindClearing(shown, tuple(plain), tuple(search.block_wh), charge, discharge, search.welfare_n, bound)


def _moved(
    book: KindBook, plain: list[IntArray], block_wh: list[int], charge: IntArray, discharge: IntArray
) -> list[int]:
    """Wh that all orders of each slot got."""
    moved = [int(given.sum()) for given in plain]
    moved = [wh + int(more) for wh, more in zip(moved, (charge + discharge).sum(axis=0), strict=True)]
    for block, wh in zip(book.blocks, block_wh, strict=True):
        for slot in block.window:
            moved[slot] += wh
    return moved
