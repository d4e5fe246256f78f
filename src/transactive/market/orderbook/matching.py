"""Price-time priority, event by event: the loop of the continuous book.

Each tick and side has a queue, linked through the orders themselves, so adding, filling and cancelling take the same
time however long it is; a count of the used queues in every 64 ticks lets the search for the next best price skip empty
stretches. The loop is plain Python on lists of whole numbers; `compiled` gives the same functions, translated by numba,
for arrays. There is one text of the rules for both.

Columns come as tuples in the order of the names below; an order has the number of the event that brought it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

from transactive.core.installed import named_extras

LIMIT, MARKET, IOC, FOK, CANCEL, AMEND = range(1, 7)
"""Kinds of events: the first four bring an order; IOC: immediate or cancel, FOK: fill or kill."""
ACCEPTED, KILLED, GONE, NOT_YOURS = range(1, 5)
"""Answers: KILLED: a fill-or-kill order that could not be filled; GONE: the order meant does not rest in the book;
NOT_YOURS: it is another member's."""
NONE = -1
SHIFT = 6
"""64 ticks share a count of used queues."""

Column: TypeAlias = Any
"""A list of whole numbers or an int64 array: both are read and written by index, which no common type says."""
Kernel: TypeAlias = Callable[..., int]


EVENTS = {"kind": "i1", "target": "i4", "member": "i4", "is_buy": "i1", "tick": "i4", "energy_wh": "i8"}
ANSWERS = {"verdict": "i1", "traded_wh": "i8", "resting_wh": "i8"}
ORDERS = {"is_buy": "i1", "tick": "i4", "left_wh": "i8", "next": "i4", "previous": "i4"}
LEVELS = {"head": "i4", "tail": "i4", "energy_wh": "i8"}
TRADES = {"buy": "i4", "sell": "i4", "energy_wh": "i8", "tick": "i4"}
"""Columns of each tuple and, where they are arrays, their types: the loop waits for memory more than it calculates."""


def run(
    first: int,
    past: int,
    made: int,
    events: tuple[Column, ...],
    answers: tuple[Column, ...],
    orders: tuple[Column, ...],
    levels: tuple[Column, ...],
    used: Column,
    best: Column,
    trades: tuple[Column, ...],
) -> int:
    """Apply the events first … past − 1; returns the number of trades in all, `made` before them.

    levels: one entry a side and tick, sells first. used: queues in use, by side and 64 ticks. best: highest buy and
    lowest sell tick, −1 and the number of ticks where there is none. Answers and trades are written in place.
    """
    kind, target, member, is_buy, tick, energy = events
    verdict, traded, resting = answers
    side, at, left, _, _ = orders
    ticks = len(levels[0]) // 2
    for event in range(first, past):
        what, order, wanted, limit = kind[event], event, energy[event], tick[event]
        verdict[event], traded[event], resting[event] = ACCEPTED, 0, 0
        if what >= CANCEL:
            order, left[event] = target[event], 0
            if order < 0 or order >= event or left[order] == 0:
                verdict[event] = GONE
                continue
            if member[order] != member[event]:
                verdict[event] = NOT_YOURS
                continue
            if what == AMEND and limit == at[order] and wanted <= left[order]:  # less of the same keeps its place
                levels[2][at[order] + ticks * side[order]] -= left[order] - wanted
                left[order] = resting[event] = wanted
                continue
            take_out(order, orders, levels, used, best)
            if what == CANCEL:
                continue
        else:
            side[order], left[order] = is_buy[event], 0
        if what == MARKET:
            limit = (ticks - 1) * side[order]
        if what == FOK and reachable(side[order], limit, wanted, levels, best) < wanted:
            verdict[event] = KILLED
            continue
        before = wanted
        wanted, made = match(order, limit, wanted, made, orders, levels, used, best, trades)
        traded[event] = before - wanted
        if wanted and what in (LIMIT, AMEND):
            at[order], left[order] = limit, wanted
            put_in(order, orders, levels, used, best)
            resting[event] = wanted
    return made


def match(
    order: int,
    limit: int,
    wanted: int,
    made: int,
    orders: tuple[Column, ...],
    levels: tuple[Column, ...],
    used: Column,
    best: Column,
    trades: tuple[Column, ...],
) -> tuple[int, int]:
    """Trade an order with the best resting ones at their prices; returns what is left of it and the trades made."""
    side, _, left, _, _ = orders
    head, _, energy = levels
    buy, sell, traded, price = trades
    ticks, buys = len(head) // 2, side[order]
    while wanted:
        there = best[1] if buys else best[0]
        if there < 0 or there == ticks or (there > limit if buys else there < limit):
            break
        level = there + ticks * (1 - buys)
        other = head[level]
        part = min(wanted, left[other])
        buy[made], sell[made] = (order, other) if buys else (other, order)
        traded[made], price[made] = part, there
        made += 1
        wanted -= part
        if part == left[other]:
            take_out(other, orders, levels, used, best)
        else:
            left[other] -= part
            energy[level] -= part
    return wanted, made


def put_in(order: int, orders: tuple[Column, ...], levels: tuple[Column, ...], used: Column, best: Column) -> None:
    """Append an order to the queue of its tick."""
    side, at, left, following, previous = orders
    head, tail, energy = levels
    ticks = len(head) // 2
    tick, buys = at[order], side[order]
    level = tick + ticks * buys
    last = tail[level]
    previous[order], following[order] = last, NONE
    tail[level] = order
    energy[level] += left[order]
    if last != NONE:
        following[last] = order
        return
    head[level] = order
    used[(tick >> SHIFT) + buys * (len(used) // 2)] += 1
    if buys:
        best[0] = max(best[0], tick)
    else:
        best[1] = min(best[1], tick)


def take_out(order: int, orders: tuple[Column, ...], levels: tuple[Column, ...], used: Column, best: Column) -> None:
    """Take a resting order out of its queue and leave nothing of it."""
    side, at, left, following, previous = orders
    head, tail, energy = levels
    ticks = len(head) // 2
    tick, buys = at[order], side[order]
    level = tick + ticks * buys
    energy[level] -= left[order]
    left[order] = 0
    earlier, later = previous[order], following[order]
    if earlier == NONE:
        head[level] = later
    else:
        following[earlier] = later
    if later == NONE:
        tail[level] = earlier
    else:
        previous[later] = earlier
    if head[level] == NONE:
        used[(tick >> SHIFT) + buys * (len(used) // 2)] -= 1
        if buys and tick == best[0]:
            best[0] = next_buy(tick, head, used)
        elif not buys and tick == best[1]:
            best[1] = next_sell(tick, head, used)


def next_buy(tick: int, head: Column, used: Column) -> int:
    """Highest tick with a buy from `tick` down; −1 if there is none."""
    ticks, blocks = len(head) // 2, len(used) // 2
    while tick >= 0 and head[ticks + tick] == NONE:
        tick = (tick >> SHIFT << SHIFT) - 1 if used[blocks + (tick >> SHIFT)] == 0 else tick - 1
    return tick if tick >= 0 else NONE


def next_sell(tick: int, head: Column, used: Column) -> int:
    """Lowest tick with a sell from `tick` up; the number of ticks if there is none."""
    ticks = len(head) // 2
    while tick < ticks and head[tick] == NONE:
        tick = (tick >> SHIFT) + 1 << SHIFT if used[tick >> SHIFT] == 0 else tick + 1
    return min(tick, ticks)


def reachable(buys: int, limit: int, wanted: int, levels: tuple[Column, ...], best: Column) -> int:
    """Energy on the other side [Wh] up to the limit, counted until it is enough."""
    energy = levels[2]
    ticks, found = len(energy) // 2, 0
    if buys:
        tick = best[1]
        while tick <= limit and tick < ticks and found < wanted:
            found += energy[tick]
            tick += 1
    else:
        tick = best[0]
        while tick >= limit and tick >= 0 and found < wanted:
            found += energy[ticks + tick]
            tick -= 1
    return found


@cache
def compiled() -> Kernel:
    """Translate `run` for arrays, once a process and in seconds. Raises MissingExtra without numba."""
    with named_extras("a book in machine code"):
        numba, extending = import_module("numba"), import_module("numba.extending")
    for helper in (match, put_in, take_out, next_buy, next_sell, reachable):
        extending.register_jitable(helper)
    # The columns are owned by the book: counting references to them in the loop would take three quarters of its time.
    kernel: Kernel = numba.njit(run, _nrt=False)
    return kernel
