"""What keeps the lines of the tight feeder, against only watching them, and its forecasts against climatology."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from transactive.bench.markets.radial import solve, welfare
from transactive.bench.measure import BenchTimer, Reference
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import load_setting
from transactive.config.shipped import FEEDER
from transactive.core.community.members import Devices
from transactive.core.community.network import tree
from transactive.core.errors import require
from transactive.core.units import NANO, WH_PER_KWH
from transactive.engine.grid.line_limits import within_limits
from transactive.engine.replay import slots_from
from transactive.insight.studies.grid import GridStudy
from transactive.market.mechanisms import Site
from transactive.market.network.line_flows import beyond_wh, line_flows
from transactive.market.network.locational import clear
from transactive.studies.grid import study
from transactive.trading.grid.redispatch import OwnPlans, grid_of, redispatch_orders

HOMES, NODES = 10_000, 100


@bench("grid", summary="lines of a tight feeder: watched, limited, priced; forecasts of lines against climatology")
def grid(meter: BenchTimer) -> Iterator[Row]:
    """Study the bundled feeder, two weeks in three ways, and keep the lines of a large one in a slot."""
    setting = load_setting(FEEDER)
    found = study(setting, slots_from(setting))
    yield from _ways(found)
    for scores in found.forecasts:
        yield Row(
            name=f"Brier score of lines, {scores.name}",
            value=scores.brier,
            unit="",
            reference="climatology in hindsight",
            reference_value=scores.climatology,
            ratio=scores.brier / scores.climatology,
        )
        yield Row(name=f"flows inside nine of ten, {scores.name}", value=100 * scores.coverage, unit="%")
    yield _one_slot(meter)


def _one_slot(meter: BenchTimer) -> Row:
    """Keep the lines of a random tree that carries nine tenths of what flows, against HiGHS with the same orders."""
    random = np.random.default_rng(7)
    load, generation, charged, node = (random.integers(0, most, HOMES) for most in (2_000, 4_000, 6_400, NODES))
    devices = Devices(generation, np.full(HOMES, 6_400), np.full(HOMES, 5_000), np.full(HOMES, 900_000))
    planned = OwnPlans.of(load, generation, (0 * load, 0 * load), devices, charged)
    parent = np.array([-1, *(int(random.integers(max(0, k - 10), k)) for k in range(1, NODES))], np.int64)
    names, wide = [str(k) for k in range(NODES)], np.full(NODES, 10**9)
    flow = np.abs(line_flows(tree(names, parent, wide)).of_members(node, planned.net_wh))
    site = Site(node, tree(names, parent, np.append(0, flow * 9 // 10)))
    orders = redispatch_orders(0, planned, lossy=False)
    at = np.append(site.node, 0)[orders.member]
    found = welfare(orders, clear(orders, grid_of(lossy=False), HOMES + 1, at, site.network).allocated_wh)
    optimum = solve(orders, at, site.network)
    require(abs(found - optimum) <= 1e-9 * abs(optimum), "both find the same welfare")
    require(not beyond_wh(site.network, within_limits(site, 0, planned)[1]).any(), "every line keeps its limit")
    return meter.time(
        f"limits of {NODES} lines kept, {HOMES:,} homes",
        partial(within_limits, site, 0, planned),
        Reference("HiGHS", partial(solve, orders, at, site.network)),
        repeats=5,
    )


def _ways(found: GridStudy) -> Iterator[Row]:
    """What each way leaves, holds back and costs."""
    watched, limits, priced = found.variants
    yield Row(
        name="slots with a line over its limit, prices first",
        value=priced.grid.slots_over,
        unit="slots",
        reference="only watched",
        reference_value=watched.grid.slots_over,
        ratio=priced.grid.slots_over / watched.grid.slots_over,
    )
    yield Row(
        name="PV held back, prices first",
        value=priced.grid.curtailed_wh / WH_PER_KWH,
        unit="kWh",
        reference="limits alone",
        reference_value=limits.grid.curtailed_wh / WH_PER_KWH,
        ratio=priced.grid.curtailed_wh / limits.grid.curtailed_wh,
    )
    costs = [(int(way.members_pay_n) - int(way.network_n)) / NANO for way in found.variants]
    yield Row(
        name="members and network pay together, prices first",
        value=costs[2],
        unit="USD",
        reference="only watched",
        reference_value=costs[0],
        ratio=costs[2] / costs[0],
    )
