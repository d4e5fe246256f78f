"""The continuous market: a book with price-time priority, and a log of everything that was asked and answered.

An order meets the best resting ones at once, at their prices; among equal prices the earlier one. A limit order rests
with what is left; a market order, IOC (immediate or cancel) and FOK (fill or kill: all or nothing) never rest. Less of
an order at the same price keeps its place, any other change is a new arrival. A request that cannot be met is answered
and logged like any other. The log alone gives the book back: `replay` leads to the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.tables import Orders, Table
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market.auction.uniform import check_orders, tick_indices
from transactive.market.book import MOST_TICKS, MOST_WH, chunks, refuse_beyond
from transactive.market.orderbook import matching
from transactive.market.orderbook.matching import AMEND, ANSWERS, CANCEL, EVENTS, LEVELS, LIMIT, MARKET, ORDERS, TRADES
from transactive.market.registry import ByTrade
from transactive.market.trades import Trades, check_trades

MOST_EVENTS = (1 << 31) - 1
"""Most events of a book, members and orders: their numbers take 32 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class Events(Table):
    """Requests in the order of their arrival, shape (events,).

    kind: LIMIT … AMEND of `matching`. target: number of the order that is cancelled or amended, which is that of the
    event that brought it, counted from the first of the slot. Price [µ¤/kWh] and energy [Wh] of an amended order are
    its new ones; a cancellation has neither and a market order has no price: there they mean nothing.
    """

    slot: int
    kind: IntArray
    target: IntArray
    member: IntArray
    is_buy: BoolArray
    price: IntArray
    energy_wh: IntArray

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True, eq=False)
class Log(Events):
    """Every event with its answer; verdict: ACCEPTED … NOT_YOURS of `matching`.

    traded_wh: at once. resting_wh: of the order, once the event is over.
    """

    verdict: IntArray
    traded_wh: IntArray
    resting_wh: IntArray


class Book:
    """Orders of one slot on a price grid; `compiled` ones start slowly and take some forty times as many events."""

    def __init__(self, slot: int, grid: PriceGrid, *, compiled: bool = False) -> None:
        if grid.size > MOST_TICKS:
            raise InputError(f"a price grid of {grid.size} prices is too fine, at most {MOST_TICKS}; use a larger tick")
        self.slot, self.grid = slot, grid
        self._compiled = compiled
        self._kernel = matching.compiled() if compiled else matching.run
        self._events, self._answers, self._orders, self._trades = (
            tuple(self._column(0, kind) for kind in kinds.values()) for kinds in (EVENTS, ANSWERS, ORDERS, TRADES)
        )
        ticks, blocks = grid.size, (grid.size >> matching.SHIFT) + 1
        self._levels = tuple(self._column(2 * ticks, kind) for kind in LEVELS.values())
        for ends in self._levels[:2]:
            ends[:] = [matching.NONE] * len(ends)
        self._used, self._best = self._column(2 * blocks, "i4"), self._column(2, "i8")
        self._best[0], self._best[1] = matching.NONE, ticks
        self._count = self._made = self._asked_wh = 0

    def __len__(self) -> int:
        return self._count

    def add(self, member: int, price: int, energy_wh: int, *, is_buy: bool, kind: int = LIMIT) -> int:
        """Bring an order; returns its number. Raises DataError for one off the grid or without positive energy."""
        return self._one(kind, matching.NONE, member, price, energy_wh, is_buy=is_buy)

    def cancel(self, order: int, member: int) -> int:
        """Cancel an order of `member`; returns the number of the event, whose verdict says whether it rested."""
        return self._one(CANCEL, order, member, 0, 0, is_buy=False)

    def amend(self, order: int, member: int, price: int, energy_wh: int) -> int:
        """Change price and what is left of an order of `member`; returns the number of the event."""
        return self._one(AMEND, order, member, price, energy_wh, is_buy=False)

    def submit(self, events: Events) -> None:
        """Apply events in their order. Raises DataError, naming the row, before any is applied."""
        first, past = self._count, self._count + len(events)
        if past > MOST_EVENTS:
            raise InputError(f"a book takes {MOST_EVENTS} events; open another for the next ones")
        self._make_room(past)
        asked = self._asked_wh
        for part in chunks(len(events)):  # checks make many columns: small ones stay in the cache
            asked += self._write(events, part)
            refuse_beyond(asked)
        self._asked_wh = asked
        state = (self._events, self._answers, self._orders, self._levels, self._used, self._best, self._trades)
        self._made = int(self._kernel(first, past, self._made, *state))
        self._count = past

    @property
    def log(self) -> Log:
        """All events so far, with their answers."""
        kind, target, member, is_buy, tick, energy = (self._array(column) for column in self._events)
        answers = (self._array(column) for column in self._answers)
        price = self.grid.floor + self.grid.tick * tick
        return Log(self.slot, kind, target, member, is_buy.astype(np.bool_), price, energy, *answers)

    @property
    def trades(self) -> Trades:
        """All trades so far, in their order; buy and sell are numbers of orders."""
        buy, sell, energy, tick = (np.array(column[: self._made], np.int64) for column in self._trades)
        return Trades(self.slot, buy, sell, energy, self.grid.floor + self.grid.tick * tick)

    def _one(self, kind: int, target: int, member: int, price: int, energy_wh: int, *, is_buy: bool) -> int:
        """Submit one event; returns its number."""
        kinds, targets, members, prices, energies = (
            np.array([number], np.int64) for number in (kind, target, member, price, energy_wh)
        )
        self.submit(Events(self.slot, kinds, targets, members, np.array([is_buy]), prices, energies))
        return self._count - 1

    def _write(self, events: Events, part: slice) -> int:
        """Check a stretch of events and write it behind the others as the loop wants it; returns its energy [Wh]."""
        kind, target, member, is_buy, price, energy = (
            column[part]
            for column in (events.kind, events.target, events.member, events.is_buy, events.price, events.energy_wh)
        )
        for name, column, least, most in (
            ("kind", kind, LIMIT, AMEND),
            ("target", target, matching.NONE, MOST_EVENTS),
            ("member", member, 0, MOST_EVENTS),
        ):
            if not least <= int(column.min()) <= int(column.max()) <= most:
                row = int(((column < least) | (column > most)).argmax())
                raise DataError(f"event {part.start + row}: {name} {int(column[row])} is not {least} … {most}")
        brings = kind != CANCEL
        energy = energy * brings
        lacking = (energy <= 0) & brings
        if lacking.any():
            row = int(lacking.argmax())
            raise DataError(f"event {part.start + row}: energy {int(energy[row])} Wh is not positive; cancel the order")
        tick = tick_indices(np.where(brings & (kind != MARKET), price, self.grid.floor), self.grid)
        start = self._count + part.start
        for own, column in zip(self._events, (kind, target, member, is_buy, tick, energy), strict=True):
            own[start : start + len(column)] = column if self._compiled else column.astype(np.int64).tolist()
        small = int(energy.max()) * len(energy) <= MOST_WH  # else the sum itself could overflow
        return int(energy.sum()) if small else sum(energy.tolist())

    def _column(self, size: int, kind: str) -> Any:  # noqa: ANN401  # a list or an array, see matching.Column
        """Zeros as the loop wants them."""
        return np.zeros(size, kind) if self._compiled else [0] * size

    def _make_room(self, events: int) -> None:
        """Lengthen the columns. Each trade ends a resting order or the event, so there are at most two an event."""
        room = len(self._events[0])
        if events <= room:
            return
        more = max(events - room, room if self._compiled else 0)  # a list grows by itself, an array is copied
        self._events, self._answers, self._orders = (
            tuple(self._longer(column, more) for column in columns)
            for columns in (self._events, self._answers, self._orders)
        )
        self._trades = tuple(self._longer(column, 2 * more) for column in self._trades)

    def _longer(self, column: Any, more: int) -> Any:  # noqa: ANN401  # a list or an array, see matching.Column
        """The column with zeros behind it."""
        if self._compiled:
            longer = np.zeros(len(column) + more, column.dtype)
            longer[: len(column)] = column
            return longer
        column.extend([0] * more)
        return column

    def _array(self, column: Any) -> IntArray:  # noqa: ANN401  # a list or an array, see matching.Column
        """Entries of the events so far."""
        return np.array(column[: self._count], np.int64)


def replay(log: Log, grid: PriceGrid, *, compiled: bool = False) -> Book:
    """Build the book anew from the events of its log; its own log and trades have the same bytes."""
    book = Book(log.slot, grid, compiled=compiled)
    columns = (log.kind, log.target, log.member, log.is_buy, log.price, log.energy_wh)
    book.submit(Events(log.slot, *columns))
    return book


def clear(orders: Orders, grid: PriceGrid, members: int) -> Trades:
    """Let the orders of one slot arrive in their order, as limit orders. Raises DataError as `uniform.clear` does."""
    check_orders(orders, members)
    book, count = Book(orders.slot, grid), len(orders)
    kind, target = np.full(count, LIMIT, np.int64), np.full(count, matching.NONE, np.int64)
    book.submit(Events(orders.slot, kind, target, orders.member, orders.is_buy, orders.price, orders.energy_wh))
    trades = book.trades
    check_trades(orders, trades)
    return trades


MECHANISM = ByTrade(clear)
