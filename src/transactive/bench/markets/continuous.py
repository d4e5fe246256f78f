"""The continuous book against the usual one: two heaps, and a dictionary for cancellations.

300,000 events, 45 % of them cancellations; both keep a log of every event and all trades, and the trades are compared.
The plain book is the same text as the compiled one, run by Python on lists; it is there for small markets, which would
wait longer for the translation than for all their orders. Translation is not in the figure.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from heapq import heappop, heappush

import numpy as np

from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.errors import InputError, require
from transactive.core.tariff import PriceGrid
from transactive.market.orderbook.continuous import Book, Events
from transactive.market.orderbook.matching import CANCEL, LIMIT, compiled

EVENTS, CANCELS = 300_000, 0.45
TICKS = 2201
Trade = tuple[int, int, int, int]


@bench("continuous", summary="continuous book against heaps")
def continuous(meter: BenchTimer) -> Iterator[Row]:
    """Measure both books; without numba the compiled one is not measured."""
    events = random_events(EVENTS, seed=1)
    heaps = Reference("a book of heaps", lambda: heap_book(events))
    expected, _ = heap_book(events)
    forms = [("plain", False)]
    try:
        compiled()
    except InputError:
        pass
    else:
        forms.insert(0, ("compiled", True))
    for name, fast in forms:
        require(trades_of(book_of(events, fast=fast)) == expected, "both books make the same trades")
        yield meter.rate(
            f"{name} book, {EVENTS:,} events",
            partial(book_of, events, fast=fast),
            heaps,
            count=EVENTS,
            unit="events/s",
            repeats=5,
        )


def book_of(events: Events, *, fast: bool) -> Book:
    """Let all events arrive."""
    book = Book(0, PriceGrid(0, TICKS - 1, 1), compiled=fast)
    book.submit(events)
    return book


def trades_of(book: Book) -> list[Trade]:
    """Trades as rows."""
    trades = book.trades
    columns = (column.tolist() for column in (trades.buy, trades.sell, trades.energy_wh, trades.price))
    return list(zip(*columns, strict=True))


def random_events(count: int, seed: int) -> Events:
    """Draw limit orders around the middle of the grid, and cancellations of earlier ones, resting or not."""
    random = np.random.default_rng(seed)
    cancels = random.random(count) < CANCELS
    cancels[0] = False
    is_buy = random.random(count) < 0.5
    place = np.where(is_buy, 0.47, 0.53) + 0.05 * random.standard_normal(count)
    rows = np.arange(count)
    brought = np.flatnonzero(~cancels)
    before = np.searchsorted(brought, rows)
    recent = brought[np.maximum(before - 1 - random.integers(0, 2000, count), 0)]
    return Events(
        slot=0,
        kind=np.where(cancels, CANCEL, LIMIT),
        target=np.where(cancels, recent, -1),
        member=np.zeros(count, np.int64),
        is_buy=is_buy,
        price=(place * TICKS).clip(0, TICKS - 1).astype(np.int64),
        energy_wh=random.integers(1, 5000, count),
    )


def heap_book(events: Events) -> tuple[list[Trade], list[tuple[int, ...]]]:
    """Trades and log by two heaps of packed whole numbers; a cancelled order is skipped when it comes to the top."""
    buys: list[int] = []
    sells: list[int] = []
    left: dict[int, int] = {}
    trades: list[Trade] = []
    log: list[tuple[int, ...]] = []
    columns = (
        column.tolist() for column in (events.kind, events.target, events.is_buy, events.price, events.energy_wh)
    )
    for number, (kind, target, is_buy, price, energy) in enumerate(zip(*columns, strict=True)):
        if kind == CANCEL:
            log.append((kind, target, left.pop(target, 0)))
            continue
        wanted, heap = energy, sells if is_buy else buys
        while wanted and heap:
            packed = heap[0]
            other = packed & (1 << 32) - 1
            if other not in left:
                heappop(heap)
                continue
            there = packed >> 32 if is_buy else TICKS - (packed >> 32)
            if there > price if is_buy else there < price:
                break
            part = min(wanted, left[other])
            trades.append((number, other, part, there) if is_buy else (other, number, part, there))
            wanted -= part
            left[other] -= part
            if not left[other]:
                del left[other]
                heappop(heap)
        if wanted:
            left[number] = wanted
            heappush(buys if is_buy else sells, ((TICKS - price if is_buy else price) << 32) | number)
        log.append((kind, number, is_buy, price, energy, energy - wanted, wanted))
    return trades, log
