"""Order kinds against HiGHS: a day of hours with plain orders, blocks, ranges and storages, welfare compared.

The mixed-integer program knows no prices: it may serve a block at a loss, so its optimum is a bound and not a market.
The row of the welfare is ours over the program's; the time includes building the program, as ours includes all checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from random import Random

import numpy as np

from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.errors import require
from transactive.core.tables import Orders
from transactive.core.units import PPM
from transactive.market.auction.blocks.call_auction import clear
from transactive.market.auction.blocks.order_kinds import BlockOrder, KindBook, Storage
from transactive.market.network.meshed import quiet_solver

SLOTS = 24
SIZES = ((20, 10, 2), (100, 60, 6))
"""Plain orders a slot, blocks, storages."""
GAP = 1e-4
"""Where the program stops."""


@bench("kinds", summary="blocks and storages against a mixed-integer program")
def kinds(meter: BenchTimer) -> Iterator[Row]:
    """Measure each size."""
    for plain, blocks, storages in SIZES:
        book = random_day(Random(plain), plain, blocks, storages)  # noqa: S311  # repeatable on purpose
        what = f"{SLOTS * plain:,} orders, {blocks} blocks, {storages} storages"
        found, optimum = clear(book), solve(book)
        require(found.welfare_n <= optimum * (1 + GAP) <= found.bound_n * (1 + 2 * GAP), "the optimum is between")
        ratio = found.welfare_n / optimum
        yield Row(name=f"welfare of {what}", value=found.welfare_n, unit="n¤", reference="HiGHS", ratio=ratio)
        yield meter.time(what, partial(clear, book), Reference("HiGHS", partial(solve, book)), repeats=3, warm_up=0)


def random_day(random: Random, plain: int, blocks: int, storages: int) -> KindBook:
    """Draw a day: dear evenings, cheap noons; blocks of 1 to 6 hours, half of them all or nothing; 90 % storages."""
    level = [200_000 + 40_000 * ((hour - 6) % 12 - 6) // 6 for hour in range(SLOTS)]

    def window(longest: int) -> tuple[int, int]:
        hours = random.randint(1, longest)
        return random.randint(0, SLOTS - hours), hours

    def block() -> BlockOrder:
        is_buy, most, (first, hours) = random.random() < 0.5, random.randint(500, 5_000), window(6)
        price = sum(level[first : first + hours]) // hours + random.randint(-60, 60) * 1000
        return BlockOrder(is_buy, price, first, hours, random.choice((most, random.randint(1, most))), most)

    def storage() -> Storage:
        power = random.randint(1_000, 8_000)
        return Storage(random.randint(5, 30) * 1000, 0, SLOTS, power, 3 * power, 900_000)

    tables = tuple(_hour(random, plain, price) for price in level)
    return KindBook(tables, tuple(block() for _ in range(blocks)), tuple(storage() for _ in range(storages)))


def _hour(random: Random, count: int, level: int) -> Orders:
    """Plain orders of an hour around a price."""
    is_buy = np.array([random.random() < 0.5 for _ in range(count)], np.bool_)
    price = np.array([level + 100 * random.randint(-600, 600) for _ in range(count)], np.int64)
    energy = np.array([random.randint(1, 5000) for _ in range(count)], np.int64)
    nothing = np.zeros(count, np.int64)
    return Orders(0, nothing, is_buy, price, energy, nothing)


class MixedIntegerProgram:
    """A mixed-integer program in the making: variables that take or give energy in slots, and rows that bind them."""

    def __init__(self, slots: int) -> None:
        self.highspy = import_module("highspy")
        self.solver = quiet_solver()
        self.solver.setOptionValue("mip_rel_gap", GAP)
        self.balance: list[list[tuple[int, float]]] = [[] for _ in range(slots)]
        self.columns = 0

    def variable(self, most: int, worth: int, slots: range, sign: int) -> int:
        """Add a variable from 0 to `most` that takes (1) or gives (−1) in slots; returns its number."""
        self.solver.addVar(0, most)
        self.solver.changeColCost(self.columns, -worth)
        for slot in slots:
            self.balance[slot].append((self.columns, sign))
        self.columns += 1
        return self.columns - 1

    def row(self, low: float, high: float, entries: list[tuple[int, float]]) -> None:
        """Bind a sum of variables times factors."""
        numbers, factors = (np.array(part) for part in zip(*entries, strict=True))
        self.solver.addRow(low, high, len(entries), numbers.astype(np.int32), factors.astype(float))

    def add_block(self, block: BlockOrder) -> None:
        """Add a block: its energy, and whether it is served."""
        sign, infinite = 1 if block.is_buy else -1, self.highspy.kHighsInf
        energy = self.variable(block.most_wh, sign * block.price * block.slots, block.window, sign)
        served = self.variable(1, 0, range(0), 0)
        self.solver.changeColIntegrality(served, self.highspy.HighsVarType.kInteger)
        self.row(-infinite, 0, [(energy, 1), (served, -block.most_wh)])
        self.row(0, infinite, [(energy, 1), (served, -block.least_wh)])

    def add_storage(self, storage: Storage) -> None:
        """Add a storage, whose level stays between empty and full."""
        level: list[tuple[int, float]] = []
        for slot in storage.window:
            here = range(slot, slot + 1)
            level.append((self.variable(storage.power_wh, 0, here, 1), 1))
            level.append((self.variable(storage.power_wh, -storage.spread, here, -1), -PPM / storage.efficiency_ppm))
            self.row(0, storage.capacity_wh, level)

    def solve(self) -> float:
        """Greatest welfare [n¤]."""
        for entries in self.balance:
            self.row(0, 0, entries)
        self.solver.run()
        require(self.solver.getModelStatus() == self.highspy.HighsModelStatus.kOptimal, "the program has an optimum")
        return -float(self.solver.getInfo().objective_function_value)


def solve(book: KindBook) -> float:
    """Greatest welfare of any allocation, by HiGHS [n¤]; fractions of a Wh are allowed."""
    program = MixedIntegerProgram(len(book.plain))
    for slot, orders in enumerate(book.plain):
        columns = (orders.is_buy.tolist(), orders.price.tolist(), orders.energy_wh.tolist())
        for is_buy, price, wh in zip(*columns, strict=True):
            sign = 1 if is_buy else -1
            program.variable(wh, sign * price, range(slot, slot + 1), sign)
    for block in book.blocks:
        program.add_block(block)
    for storage in book.storages:
        program.add_storage(storage)
    return program.solve()
