"""Prices by location in rings against PyPSA, both from the orders to prices and flows, objective compared.

PyPSA gets a generator for each node, side and price, as with one an order it would be larger and slower, and hands its
program to HiGHS without a file. Ours also checks
its input and result, rounds to whole Wh inside every limit and hands out every order's energy.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from transactive.bench.markets.clearing import MEMBERS, TICKS, orders_of
from transactive.bench.markets.radial import located, welfare
from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.community.network import Network
from transactive.core.errors import require
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray
from transactive.market.network.locational import clear

NODES, ORDERS = 100, 10**4


@bench("meshed", summary="prices by location in rings against PyPSA")
def meshed(meter: BenchTimer) -> Iterator[Row]:
    """Measure one size; without PyPSA (dependency group `bench`) there is nothing to compare with."""
    try:
        import_module("pypsa")
    except ImportError:
        return
    for name in ("pypsa", "linopy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    grid = PriceGrid(0, TICKS - 1, 1)
    orders, node, network = random_market(ORDERS, NODES, seed=7)
    clearing = clear(orders, grid, MEMBERS, node, network)
    require(len(set(clearing.price.tolist())) > NODES // 2, "lines are full, so that prices differ")
    found, optimum = welfare(orders, clearing.allocated_wh), by_pypsa(orders, node, network)
    require(abs(found - optimum) <= 1e-5 * abs(optimum), "both find the same welfare, but for whole Wh")
    yield meter.time(
        f"{NODES} nodes, {ORDERS:,} orders",
        partial(clear, orders, grid, MEMBERS, node, network),
        Reference("PyPSA", partial(by_pypsa, orders, node, network)),
        repeats=3,
    )


def random_market(count: int, nodes: int, seed: int) -> tuple[Orders, IntArray, Network]:
    """Draw orders whose nodes differ in their typical price, and a tree with 40 lines more for 100 nodes."""
    random = np.random.default_rng(seed)
    node, is_buy, tick = located(random, count, nodes)
    start = np.array([int(random.integers(max(0, i - 10), i)) for i in range(1, nodes)])
    more = random.integers(0, nodes, 2 * nodes // 5)
    start = np.append(start, more)
    end = np.append(np.arange(1, nodes), (more + random.integers(1, 12, len(more))) % nodes)
    limit = (count * 2500 / nodes * 0.08 * random.uniform(0.3, 1.5, len(start))).astype(np.int64)
    nothing, reactance = np.zeros(len(start), np.int64), random.integers(500, 2000, len(start))
    network = Network(tuple(map(str, range(nodes))), start, end, limit, limit, nothing, reactance, nothing > 0)
    return orders_of(tick, is_buy, random.integers(1, 5000, count, dtype=np.int32)), node, network


def by_pypsa(orders: Orders, node: IntArray, network: Network) -> float:
    """Welfare by PyPSA: sells are generators, buys generators that may only take."""
    pypsa: Any = import_module("pypsa")
    key, column = np.unique((node * 2 + orders.is_buy) * TICKS + orders.price, return_inverse=True)
    energy = np.bincount(column, orders.energy_wh)
    buys = key // TICKS % 2 == 1
    market = pypsa.Network()
    names = list(network.names)
    market.add("Bus", names, carrier="AC", v_nom=1.0)
    market.add(
        "Line",
        [f"line {k}" for k in range(len(network.start))],
        bus0=[names[k] for k in network.start],
        bus1=[names[k] for k in network.end],
        x=network.reactance / network.reactance.max(),
        s_nom=network.limit_wh.astype(float),
    )
    market.add(
        "Generator",
        [f"offer {k}" for k in range(len(key))],
        bus=[names[k] for k in key // TICKS // 2],
        p_nom=energy,
        marginal_cost=(key % TICKS).astype(float),
        p_min_pu=np.where(buys, -1.0, 0.0),
        p_max_pu=np.where(buys, 0.0, 1.0),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        status, _ = market.optimize(solver_name="highs", io_api="direct", log_to_console=False)
    require(status == "ok", "the linear program has an optimum")
    return -float(market.objective)
