"""Prices by location on a radial network against HiGHS, both from the orders to prices and flows, welfare compared.

The linear program has one column for each node, side and price: with one an order it would be larger and slower. Ours
also checks its input and result and hands out every order's energy, which the program does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module

import numpy as np

from transactive.bench.markets.clearing import MEMBERS, TICKS, orders_of
from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.community.network import Network, tree
from transactive.core.errors import require
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import BoolArray, IntArray
from transactive.market.network.locational import clear
from transactive.market.network.meshed import quiet_solver

SIZES = ((100, 5), (1000, 4))
"""Nodes, and powers of ten of the orders."""


@bench("radial", summary="prices by location against a linear program")
def radial(meter: BenchTimer) -> Iterator[Row]:
    """Measure each size."""
    grid = PriceGrid(0, TICKS - 1, 1)
    for nodes, power in SIZES:
        orders, node, network = random_market(10**power, nodes, seed=power)
        found = welfare(orders, clear(orders, grid, MEMBERS, node, network).allocated_wh)
        optimum = solve(orders, node, network)
        require(abs(found - optimum) <= 1e-9 * abs(optimum), "both find the same welfare")
        yield meter.time(
            f"{nodes:,} nodes, 10^{power} orders",
            partial(clear, orders, grid, MEMBERS, node, network),
            Reference("HiGHS", partial(solve, orders, node, network)),
            repeats=3,
        )


def random_market(count: int, nodes: int, seed: int) -> tuple[Orders, IntArray, Network]:
    """Draw orders whose nodes differ in their typical price, and a tree with lines of every width."""
    random = np.random.default_rng(seed)
    node, is_buy, tick = located(random, count, nodes)
    parent = np.array([-1, *(int(random.integers(max(0, i - 4), i)) for i in range(1, nodes))], np.int64)
    limit = random.choice([0, 0.2, 1, 20], nodes, p=[0.1, 0.4, 0.3, 0.2]) * (count * 2500 // 20)
    network = tree(tuple(map(str, range(nodes))), parent, limit.astype(np.int64))
    return orders_of(tick, is_buy, random.integers(1, 5000, count, dtype=np.int32)), node, network


def located(random: np.random.Generator, count: int, nodes: int) -> tuple[IntArray, BoolArray, IntArray]:
    """Draw node, side and tick of each order; nodes differ in their typical price."""
    node = random.integers(0, nodes, count)
    is_buy = random.random(count) < 0.5
    place = np.where(is_buy, 0.55, 0.45) + random.normal(0, 0.1, nodes)[node] + random.normal(0, 0.15, count)
    return node, is_buy, (place * TICKS).clip(0, TICKS - 1).astype(np.int64)


def welfare(orders: Orders, given: IntArray) -> int:
    """Limits of what was bought less limits of what was sold, times Wh."""
    return int((orders.price * np.where(orders.is_buy, given, -given)).sum())


def solve(orders: Orders, node: IntArray, network: Network) -> float:
    """Welfare by HiGHS, through its array interface: a row a node, a column a node, side and price, and one a line."""
    highspy = import_module("highspy")
    key, column = np.unique((node * 2 + orders.is_buy) * TICKS + orders.price, return_inverse=True)
    energy = np.bincount(column, orders.energy_wh)
    sign, place = np.where(key // TICKS % 2, 1.0, -1.0), key // TICKS // 2
    count, lines = len(key), network.end
    limit = network.limit_wh.astype(float)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = count + len(lines), len(network)
    program.col_cost_ = np.concatenate([-sign * (key % TICKS), np.zeros(len(lines))])
    program.col_lower_ = np.concatenate([np.zeros(count), -limit])
    program.col_upper_ = np.concatenate([energy, limit])
    program.row_lower_ = program.row_upper_ = np.zeros(len(network))
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    starts = np.concatenate([np.arange(count), count + 2 * np.arange(len(lines) + 1)])
    program.a_matrix_.start_ = starts.astype(np.int32)
    ends = np.stack([lines, network.start], axis=1).ravel()
    program.a_matrix_.index_ = np.concatenate([place, ends]).astype(np.int32)
    program.a_matrix_.value_ = np.concatenate([sign, np.tile([-1.0, 1.0], len(lines))])
    solver = quiet_solver()
    solver.passModel(program)
    solver.run()
    require(solver.getModelStatus() == highspy.HighsModelStatus.kOptimal, "the linear program has an optimum")
    return -float(solver.getInfo().objective_function_value)
