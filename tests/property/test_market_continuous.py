"""The continuous book against a list that is searched from end to end, event by event; and its replay."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Book as OrderBook
from tests.strategies import books
from transactive.core.errors import DataError, InputError
from transactive.core.tariff import PriceGrid
from transactive.market.orderbook import continuous, matching
from transactive.market.orderbook.continuous import Book, Events, replay
from transactive.market.orderbook.matching import (
    ACCEPTED,
    AMEND,
    CANCEL,
    FOK,
    GONE,
    IOC,
    KILLED,
    LIMIT,
    MARKET,
    NOT_YOURS,
)
from transactive.market.trades import check_trades

GRID = PriceGrid(-20_000, 180_000, 1000)
Row = tuple[int, int, int, bool, int, int]


def events_of(rows: list[Row]) -> Events:
    kind, target, member, is_buy, price, energy = zip(*rows, strict=True) if rows else ((),) * 6
    kinds, targets, members, prices, wh = (
        np.array(column, np.int64) for column in (kind, target, member, price, energy)
    )
    return Events(7200, kinds, targets, members, np.array(is_buy, np.bool_), prices, wh)


@st.composite
def event_rows(draw: st.DrawFn, most: int = 40) -> list[Row]:
    prices = st.integers(0, draw(st.sampled_from((3, 200)))).map(lambda k: GRID.price(k))
    kinds = st.sampled_from((LIMIT, LIMIT, LIMIT, MARKET, IOC, FOK, CANCEL, CANCEL, AMEND))
    count = draw(st.integers(0, most))
    return [
        (
            draw(kinds),
            draw(st.integers(-1, max(number, 0))),
            draw(st.integers(0, 1)),
            draw(st.booleans()),
            draw(prices),
            draw(st.integers(1, 6)),
        )
        for number in range(count)
    ]


def by_hand(rows: list[Row]) -> tuple[list[tuple[int, int, int, int]], list[tuple[int, int, int]]]:
    """Trades and answers by the rules as they are written; the book is a list of [order, is_buy, price, left]."""
    resting: list[list[int]] = []
    trades, answers = [], []
    for number, (kind, target, member, is_buy, price, wh) in enumerate(rows):
        order, buys, left = number, is_buy, wh
        if kind in (CANCEL, AMEND):
            entry = next((entry for entry in resting if entry[0] == target), None)
            if entry is None or rows[target][2] != member:
                answers.append((NOT_YOURS if entry else GONE, 0, 0))
                continue
            if kind == AMEND and price == entry[2] and wh <= entry[3]:
                entry[3] = wh
                answers.append((ACCEPTED, 0, wh))
                continue
            resting.remove(entry)
            if kind == CANCEL:
                answers.append((ACCEPTED, 0, 0))
                continue
            order, buys = target, bool(entry[1])
        others = [e for e in resting if e[1] != buys and (kind == MARKET or (e[2] <= price if buys else e[2] >= price))]
        others.sort(key=lambda e: e[2] if buys else -e[2])  # stable: earlier ones first
        if kind == FOK and sum(e[3] for e in others) < wh:
            answers.append((KILLED, 0, 0))
            continue
        for other in others:
            part = min(left, other[3])
            trades.append((order, other[0], part, other[2]) if buys else (other[0], order, part, other[2]))
            left -= part
            other[3] -= part
        trades = [trade for trade in trades if trade[2]]
        resting = [e for e in resting if e[3]]
        rests = left if kind in (LIMIT, AMEND) else 0
        if rests:
            resting.append([order, int(buys), price, rests])
        answers.append((ACCEPTED, wh - left, rests))
    return trades, answers


def rows_of(book: Book) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    trades, log = book.trades, book.log
    made = (column.tolist() for column in (trades.buy, trades.sell, trades.energy_wh, trades.price))
    said = (column.tolist() for column in (log.verdict, log.traded_wh, log.resting_wh))
    return list(zip(*made, strict=True)), list(zip(*said, strict=True))


@given(event_rows())
def test_every_trade_and_answer_equals_a_plain_list(rows: list[Row]) -> None:
    book = Book(7200, GRID)
    book.submit(events_of(rows))
    assert rows_of(book) == by_hand(rows)


@given(event_rows(), st.integers(0, 40))
def test_the_replay_of_a_log_gives_the_same_bytes_however_it_was_submitted(rows: list[Row], cut: int) -> None:
    book = Book(7200, GRID)
    for part in (rows[:cut], rows[cut:]):
        book.submit(events_of(part))
    again = replay(book.log, GRID)
    assert again.log.digest() == book.log.digest()
    assert again.trades.digest() == book.trades.digest()
    assert len(again) == len(rows)


@given(event_rows(most=80), st.integers(0, 80))
def test_the_compiled_book_is_the_plain_one(rows: list[Row], cut: int) -> None:
    book = Book(7200, GRID, compiled=True)
    for part in (rows[:cut], rows[cut:]):
        book.submit(events_of(part))
    assert rows_of(book) == by_hand(rows)
    assert replay(book.log, GRID).log.digest() == book.log.digest()


@given(books(most_orders=25))
def test_as_a_mechanism_no_order_is_filled_beyond_limit_or_quantity(book: OrderBook) -> None:
    trades = continuous.clear(book.orders, book.grid, book.members)
    check_trades(book.orders, trades)
    left = book.orders.energy_wh - trades.allocated_wh(len(book.orders))
    buys, sells = (book.orders.price[side & (left > 0)] for side in (book.orders.is_buy, ~book.orders.is_buy))
    assert not len(buys) or not len(sells) or buys.max() < sells.min(), "what could trade has traded"


def test_one_order_after_the_other() -> None:
    book = Book(7200, GRID)
    sell = book.add(0, 100_000, 500, is_buy=False)
    dear = book.add(0, 120_000, 500, is_buy=False)
    book.amend(sell, 0, 100_000, 300)
    book.amend(dear, 0, 110_000, 700)
    said = [book.cancel(dear, 1)]
    buy = book.add(1, 180_000, 400, is_buy=True, kind=MARKET)
    assert book.log.traded_wh[buy] == 400
    said += [book.cancel(dear, 0), book.cancel(dear, 0)]
    assert book.log.verdict[said].tolist() == [NOT_YOURS, ACCEPTED, GONE]
    assert rows_of(book)[0] == [(buy, sell, 300, 100_000), (buy, dear, 100, 110_000)]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": [0]}, "event 0: kind 0 is not 1 … 6"),
        ({"energy_wh": [0]}, "event 0: energy 0 Wh is not positive"),
        ({"price": [1]}, "not on the grid"),
        ({"member": [-1]}, "member -1"),
        ({"target": [-2]}, "target -2"),
        ({"energy_wh": [2**62 + 1]}, "wrong unit"),
    ],
)
def test_events_that_mean_nothing_are_refused_whole(change, message) -> None:
    book = Book(7200, GRID)
    good = events_of([(LIMIT, -1, 0, True, 0, 5)])
    columns: dict[str, Any] = {name: np.array(values) for name, values in change.items()}
    bad = replace(good, **columns)
    with pytest.raises(DataError, match=message):
        book.submit(bad)
    assert len(book) == 0
    book.submit(good)
    assert book.log.resting_wh.tolist() == [5]


def test_too_fine_a_grid_and_a_missing_compiler_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="use a larger tick"):
        Book(0, PriceGrid(0, 2**24, 1))

    monkeypatch.setitem(sys.modules, "numba", None)
    matching.compiled.cache_clear()
    with pytest.raises(InputError, match="needs the extra"):
        Book(0, GRID, compiled=True)
    matching.compiled.cache_clear()
