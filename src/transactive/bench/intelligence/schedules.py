"""Plans of devices against HiGHS, which knows no levels and no whole Wh: time, and how much of the saving they lose.

Simulated homes, a day of quarter hours under a time-of-use price: batteries, vehicles, heat pumps and boilers, without
a limit at the connection and with one that binds. The saving is against a battery at rest, and against a vehicle or a
heater that draws as soon as it can.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from time import process_time

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.core.community.members import Devices
from transactive.core.units import PPM, IntArray
from transactive.trading.devices.foresight import least_cost_n
from transactive.trading.devices.kinds import electric_vehicles, heat_stores
from transactive.trading.devices.schedule import planned
from transactive.trading.devices.stores import PlanHorizon, Stores, batteries, step

SLOTS = 96
COMPARED = 40
"""Homes of each kind that HiGHS plans too."""
MANY = 1_000
"""Homes whose plan is timed."""
FREE, TIGHT = 10**9, 750
"""What the connection lets in in a slot [Wh]: without a limit, and with one."""
CHEAP, DEAR = 210_000, 540_000
"""Price off and on peak [µ¤/kWh]."""


@dataclass(frozen=True, slots=True, eq=False)
class Homes:
    """Homes with one device each: held_wh: at the start; rest_price: as in `PlanHorizon`."""

    stores: Stores
    ahead: PlanHorizon
    held_wh: IntArray


@bench("schedules", summary="plans of batteries, vehicles and heat against a linear program")
def schedules(_: BenchTimer) -> Iterator[Row]:
    """Measure each kind."""
    timer = BenchTimer(process_time)
    for kind in ("batteries", "vehicles", "heat pumps", "boilers"):
        homes = homes_with(kind, MANY, FREE)
        work = partial(planned, homes.stores, homes.ahead, homes.held_wh)
        yield timer.time(f"{MANY:,} {kind} over {SLOTS} slots, processor time", work, unit="s", repeats=3)
        for name, limit_wh in ((kind, FREE), (f"{kind}, connection of {TIGHT // 250} kW", TIGHT)):
            yield _loss(name, homes_with(kind, COMPARED, limit_wh))


def homes_with(kind: str, count: int, limit_wh: int, seed: int = 1) -> Homes:
    """Draw homes: an evening peak, sun at noon, and a device of the kind."""
    draw = np.random.default_rng(seed)
    hour = np.arange(SLOTS) * 24 / SLOTS
    load = (150 + 350 * np.exp(-((hour - 19) ** 2) / 8))[:, None] * draw.uniform(0.3, 0.8, count)
    sun = (900 * np.exp(-((hour - 12) ** 2) / 10))[:, None] * draw.uniform(0, 1.3, count)
    net_load_wh = np.rint(load * draw.uniform(0.5, 1.5, (SLOTS, count)) - sun).astype(np.int64)
    price = np.where((hour >= 16) & (hour < 21), DEAR, CHEAP)
    need = np.repeat(price[:, None], count, axis=1)
    stores, held_wh, rest = _devices(kind, draw, count)
    ahead = PlanHorizon(net_load_wh[:, None], need, need * 2 // 5, np.full(count, rest), np.full(count, limit_wh))
    return Homes(stores, ahead, np.full(count, held_wh))


def _devices(kind: str, draw: np.random.Generator, count: int) -> tuple[Stores, int, int]:
    """Devices of a kind, what they hold at the start, and what a Wh that they can give at the end is worth."""

    def each(value: int) -> IntArray:
        return np.full(count, value, np.int64)

    if kind == "batteries":
        return batteries(Devices(each(0), each(6_400), each(1_250), each(900_000)), SLOTS), 0, CHEAP * 9 // 10
    if kind == "vehicles":
        arrival = draw.integers(0, 40, count)
        departure = arrival + draw.integers(20, 57, count)
        needed = draw.integers(3_000, 9_000, count)
        return electric_vehicles(SLOTS, arrival, departure, needed, each(2_750), each(900_000)), 0, 0
    drain = draw.integers(0, 400, (SLOTS, count))
    performance = 3 * PPM if kind == "heat pumps" else PPM
    stores = heat_stores(each(900), each(7_000), drain, each(performance), each(996_000))
    return stores, 3_000, CHEAP * PPM // performance


def _loss(name: str, homes: Homes) -> Row:
    """Part of the saving that the plans lose against the linear program."""
    stores, ahead = homes.stores, homes.ahead
    net, rest, most = ahead.net_load_wh[:, 0], ahead.rest_price, ahead.most_import_wh
    plan = planned(stores, ahead, homes.held_wh)
    ours = _cost(homes, plan.draw_wh - plan.give_wh, plan.held_wh[-1])
    plain = _cost(homes, *_plugged_in(homes))
    best = [
        least_cost_n(
            stores, i, net[:, i], ahead.need_price[:, i], ahead.spare_price[:, i], int(rest[i]), int(held), int(most[i])
        )[0]
        for i, held in enumerate(homes.held_wh)
    ]
    saved, possible = float((plain - ours).sum()), float(plain.sum() - sum(best))
    return Row(
        name=f"saving lost by {name}",
        value=100 * (1 - saved / possible),
        unit="%",
        reference="HiGHS",
        reference_value=0.0,
    )


def _cost(homes: Homes, drawn_wh: IntArray, held_wh: IntArray) -> IntArray:
    """Cost of each home with what its device draws, (slots, homes), what is left credited [n¤]."""
    grid_wh = homes.ahead.net_load_wh[:, 0] + drawn_wh
    cost = np.maximum(grid_wh, 0) * homes.ahead.need_price + np.minimum(grid_wh, 0) * homes.ahead.spare_price
    left: IntArray = cost.sum(axis=0) - homes.ahead.rest_price * (held_wh * homes.stores.efficiency_ppm // PPM)
    return left


def _plugged_in(homes: Homes) -> tuple[IntArray, IntArray]:
    """What is drawn without a plan, and held at the end: a battery rests, whatever else draws as soon as it can."""
    full = homes.stores.most_wh.max(axis=0)
    rule = np.stack((0 * full, 0 * full, full, full) if homes.stores.give_wh.any() else (full,) * 4)
    held, drawn = homes.held_wh, []
    for t, net_load_wh in enumerate(homes.ahead.net_load_wh[:, 0]):
        draw, give, held, _ = step(rule, homes.stores, t, held, net_load_wh, homes.ahead.most_import_wh)
        drawn.append(draw - give)
    return np.array(drawn), held
