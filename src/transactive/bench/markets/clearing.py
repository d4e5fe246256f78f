"""Uniform-price clearing against copying its input: 6 bytes an order, the least that any clearing must read.

The clearing is histogram, price and exact allocation on packed columns; like the copy it writes to memory that is
already there, else the figure would depend on how the system hands out pages. What that leaves out has rows of its own:
the first call at each size (the very first row is also the first of its process), a result in new memory, packing the
keys, and clearing a table of orders with all checks. A table has 25 bytes an order; its reference copies those.
At 10^5 orders a copy is no measure, as the price grid weighs as much as the orders; lemlab is, whose own code was
measured apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from math import log10
from random import Random
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from transactive.bench.measure import PER_SECOND, BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.errors import InputError
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market.auction.allocation import PLAIN, Passes, allocate
from transactive.market.auction.compiled import passes
from transactive.market.auction.crossing import find_crossing
from transactive.market.auction.uniform import clear
from transactive.market.book import Energies, Keys, histogram, pack_keys

TICKS = 8192
MEMBERS = 1000
SEEDED = ((3, 200), (5, 20))
"""Powers of ten of the seeded book's orders, and repeats."""
SEEDED_GRID = PriceGrid(80_000, 300_000, 100)
LEMLAB = 190_000
"""Orders per second that lemlab's own clearing was measured at."""
SIZES = ((5, 60), (6, 30), (7, 9))
"""Powers of ten of the orders, and repeats."""


@bench("clearing", summary="uniform price against copying its input")
def clearing(meter: BenchTimer) -> Iterator[Row]:
    """Measure clearing at each size."""
    for power, repeats in SEEDED:
        orders = seeded_book(10**power, seed=1)
        row = meter.time(
            f"clear 10^{power} orders of the seeded book, checks included",
            partial(clear, orders, SEEDED_GRID, 10**power),
            repeats=repeats,
        )
        yield row
    yield _against_lemlab(row)
    for name, kind in _kinds():
        for power, repeats in SIZES:
            yield from _size(meter, power, repeats, name, kind)
        yield _growth(name, kind)


def _kinds() -> Iterator[tuple[str, Passes]]:
    """Plain and, with numba, compiled, translated before anything is measured."""
    yield "", PLAIN
    try:
        yield ", compiled", passes()
    except InputError:  # without numba there is nothing compiled to measure
        return


def _against_lemlab(row: Row) -> Row:
    """Orders per second of 10^5 against what lemlab was measured at, on its own code and another day."""
    rate = 10 ** SEEDED[-1][0] / (float(row.value or 0) / PER_SECOND["ms"])
    return Row(
        name="10^5 orders of the seeded book, rate",
        value=rate,
        unit="orders/s",
        reference="lemlab as measured apart",
        reference_value=LEMLAB,
        ratio=rate / LEMLAB,
    )


def _growth(name: str, passes: Passes) -> Row:
    """Exponent with which processor time grows with the orders: 1 is in proportion.

    Not by the clock, as what takes a moment slips between the works of others and what takes longer does not.
    """
    (first, many), *_, (last, few) = SIZES
    times = []
    for power, repeats in ((first, many), (last, few)):
        tick, is_buy, energy = random_book(10**power, seed=power)
        keys, given = pack_keys(tick, is_buy, TICKS), np.zeros_like(energy)
        work = partial(clear_packed, keys, energy, given, passes=passes)
        times.append(float(BenchTimer(process_time).time("clear", work, repeats=repeats).value or 0))
    exponent = log10(times[1] / times[0]) / (last - first)
    return Row(name=f"growth from 10^{first} to 10^{last} orders{name}", value=exponent, unit="exponent")


def _size(meter: BenchTimer, power: int, repeats: int, kind: str, passes: Passes) -> Iterator[Row]:
    """Rows for a book of 10^power orders."""
    what = f"10^{power} orders"
    tick, is_buy, energy = random_book(10**power, seed=power)
    keys = pack_keys(tick, is_buy, TICKS)
    copy, given = copying(keys, energy), np.zeros_like(energy)
    clear_it = partial(clear_packed, keys, energy, passes=passes)
    yield meter.first_call(f"clear {what}{kind}, first call", clear_it)
    yield meter.time(f"clear {what}{kind}", partial(clear_it, given), copy, repeats=repeats)
    yield meter.time(f"clear {what}{kind} to new memory", clear_it, copy, repeats=repeats)
    if passes is not PLAIN:
        return
    yield meter.time(f"pack the keys of {what}", lambda: pack_keys(tick, is_buy, TICKS), copy, repeats=repeats)
    orders, grid = orders_of(tick, is_buy, energy), PriceGrid(0, TICKS - 1, 1)
    table = copying(orders.member, orders.is_buy, orders.price, orders.energy_wh)
    yield meter.time(f"clear {what} as a table", lambda: clear(orders, grid, MEMBERS), table, repeats=repeats // 3)


def clear_packed(keys: Keys, energy: Energies, out: Energies | None = None, *, passes: Passes = PLAIN) -> Energies:
    """Clear packed columns: Wh per order, written to `out` where it is given."""
    crossing = find_crossing(histogram(keys, energy, TICKS, passes.add))
    return allocate(keys, energy, crossing, out=out, serve=passes.serve)


def copying(*columns: NDArray[Any]) -> Reference:
    """Copy of the columns, as one block of bytes, into memory that is already there."""
    source = np.concatenate([column.view(np.uint8) for column in columns])
    target = np.empty_like(source)
    return Reference("copy the input", lambda: np.copyto(target, source))


def random_book(orders: int, seed: int) -> tuple[IntArray, BoolArray, Energies]:
    """Draw ticks, sides and energies [Wh]: buys around 55 % of the grid, sells around 45 %."""
    random = np.random.default_rng(seed)
    is_buy = random.random(orders) < 0.5
    place = np.where(is_buy, 0.55, 0.45) + 0.15 * random.standard_normal(orders)
    tick = (place * TICKS).clip(0, TICKS - 1).astype(np.int64)
    return tick, is_buy, random.integers(1, 5000, orders, dtype=np.int32)


def seeded_book(count: int, seed: int) -> Orders:
    """Draw half buys, then sells, one a member, by `random.Random`: the same in every Python 3, as for the peers.

    Prices 80,000 … 300,000 µ¤/kWh by 100, energy 1 … 5,000 Wh; node and kind of energy are left unused.
    """
    price, energy, *_ = seeded_columns(count, seed)
    return Orders(
        slot=0,
        member=np.arange(count),
        is_buy=np.arange(count) < count // 2,
        price=np.array(price, np.int64),
        energy_wh=np.array(energy, np.int64),
        lock_n=np.zeros(count, np.int64),
    )


def seeded_columns(count: int, seed: int) -> tuple[list[int], list[int], list[int], list[str]]:
    """Draw prices, energies, nodes and kinds of energy of the seeded book."""
    draw = Random(seed)  # noqa: S311  # repeatable on purpose
    rows = []
    for _ in range(count):
        price, energy, node = draw.randint(800, 3000) * 100, draw.randint(1, 5000), draw.randint(0, 9)
        rows.append((price, energy, node, draw.choices(("local_green", "local", "na"), (30, 30, 40))[0]))
    price_column, energy_column, node_column, kind_column = (list(column) for column in zip(*rows, strict=True))
    return price_column, energy_column, node_column, kind_column


def orders_of(tick: IntArray, is_buy: BoolArray, energy: Energies) -> Orders:
    """Table of the same orders, the members taking turns, nothing locked."""
    return Orders(
        slot=0,
        member=np.arange(len(tick)) % MEMBERS,
        is_buy=is_buy,
        price=tick,
        energy_wh=energy.astype(np.int64),
        lock_n=np.zeros(len(tick), np.int64),
    )
