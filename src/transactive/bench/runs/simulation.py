"""How fast the walk is without chain and database: a day of quarter hours, every other room on.

The homes are copies of the demo's: up to two weeks ahead of their models or behind, larger or smaller, and their hours
split into quarters at random, because nothing finer was measured. Of four homes one has PV and a battery, one PV, two
neither. No reference can run beside it: the frameworks that could be compared are not packages of this project.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from time import process_time

import msgspec
import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import Setting, load_setting
from transactive.config.shipped import DEMO
from transactive.core.community.community import Community
from transactive.core.community.members import Member
from transactive.core.errors import InputError
from transactive.core.slots import DAY, parse_time
from transactive.core.tables import Environment, Measured
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import IN_TURN, Work, compiled_work
from transactive.engine.recorded import recorded_run
from transactive.engine.replay import slots_of
from transactive.forecasting.empirical import SAMPLE_DAYS, forecast
from transactive.trading.devices.energy_value import tariff_prices
from transactive.trading.devices.plan import plan

START = "2017-06-05T00:00Z"
MEMBERS = 10_000
BATTERIES = 1_000
"""Batteries whose plan has a row of its own."""
QUARTERS = 4
"""Slots of an hour."""
HISTORY = SAMPLE_DAYS + 1
"""Days of readings before the day that is traded."""
SHIFT = 14
"""Days by which a copy is ahead of its model or behind it, at most."""
SCALE = (700, 1300)
"""Consumption of a copy in thousandths of its model's."""
DRAWN = 500
"""Homes that are made at once, which bounds the memory for it."""


@bench("simulation", summary=f"a day of {MEMBERS:,} members, every room but chain and database")
def simulation(meter: BenchTimer) -> Iterator[Row]:
    """Measure member-slots per second of the walk: plain and, with numba, compiled on all processors."""
    setting = neighbourhood(MEMBERS)
    slots = slots_of(setting, parse_time(START), 1)
    rate = partial(_rate, setting, slots)
    yield rate(f"{MEMBERS:,} members", meter, IN_TURN)
    yield rate(f"{MEMBERS:,} members, processor time", BenchTimer(process_time), IN_TURN)
    try:
        with compiled_work() as work:
            yield rate(f"{MEMBERS:,} members, compiled", meter, work)
            yield rate(f"{MEMBERS:,} members, compiled, processor time", BenchTimer(process_time), work)
    except InputError:  # without numba there is nothing compiled to measure
        pass
    yield Row(name="peak memory", value=peak_memory(), unit="GB")
    yield _batteries(setting, slots)


def _batteries(setting: Setting, slots: range) -> Row:
    """Processor time of the plan of some batteries over the day, plain."""
    devices, measured = setting.community.devices, setting.measured
    chosen = np.flatnonzero(devices.capacity_wh)[:BATTERIES]
    known = (slots.start - measured.first_slot) // slots.step
    net_load_wh = (measured.consumption_wh - measured.generation_wh)[:known, chosen]
    ahead = forecast(net_load_wh, measured.first_slot, slots.step, slots)
    need, spare = tariff_prices(ahead, [setting.tariff(slot) for slot in slots])
    work = partial(plan, ahead, devices.rows(chosen), need, spare, int(need.min()))
    name = f"plan of {BATTERIES:,} batteries over {len(slots)} slots, processor time"
    return BenchTimer(process_time).time(name, work, unit="s", repeats=5)


def _rate(setting: Setting, slots: range, name: str, meter: BenchTimer, work: Work) -> Row:
    """Member-slots per second of one way to work; processor time is that of all processors together."""
    members = len(setting.community.members)
    return meter.rate(
        name,
        lambda: recorded_run(setting, slots, work=work).run(),
        count=members * len(slots),
        unit="member-slots/s",
        repeats=3,
    )


def peak_memory(*, of_children: bool = False) -> float | None:
    """Largest memory that this process, or one of its children that ended, has had [GB]; None where unknown."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    whose = resource.RUSAGE_CHILDREN if of_children else resource.RUSAGE_SELF
    in_bytes = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(whose).ru_maxrss * in_bytes / 1e9


def neighbourhood(
    members: int, seed: int = 1, *, history: int = HISTORY, days: int = 1, quarters: int = QUARTERS
) -> Setting:
    """So many homes with days of readings, a month if not told, and `days` to trade, with so many slots an hour."""
    model = load_setting(DEMO)
    first, past = (parse_time(START) + day * DAY for day in (-history, days))
    environment = model.environment
    known = slice(*((time - environment.first_slot) // 3600 for time in (first, past + DAY)))  # plans look a day ahead
    homes = tuple(_home(model.community.members[i % len(model.community.members)], i) for i in range(members))
    readings = _readings(model, homes, range(first, past, 3600), np.random.default_rng(seed), quarters)
    return Setting(
        _community(model.community, homes, quarters),
        Measured(first, *readings),
        Environment(
            first,
            np.repeat(environment.supply_price[known], quarters),
            np.repeat(environment.grid_g_per_kwh[known], quarters),
            np.repeat(environment.carbon_price[known], quarters),
            np.repeat(environment.temperature[known], quarters),
        ),
    )


def _community(model: Community, homes: tuple[Member, ...], quarters: int) -> Community:
    """Community with the rules of the model, with so many slots an hour."""
    rules = model.market
    market = msgspec.structs.replace(
        rules, slot_minutes=60 // quarters, slots_per_period=rules.slots_per_period * quarters
    )
    return msgspec.structs.replace(model, market=market, members=homes)


def _home(model: Member, number: int) -> Member:
    """One of four homes keeps PV and battery, the next one its PV."""
    changes: dict[str, int] = {} if number % 4 == 0 else {"battery_wh": 0, "battery_w": 0}
    if number % 4 > 1:
        changes["pv_w"] = 0
    return msgspec.structs.replace(model, id=f"home-{number}", **changes)


def _readings(
    model: Setting, homes: tuple[Member, ...], hours: range, random: np.random.Generator, quarters: int
) -> tuple[IntArray, IntArray]:
    """Consumption and generation of all homes [Wh], each (slots, members)."""
    consumption, generation = (np.empty((quarters * len(hours), len(homes)), np.int64) for _ in range(2))
    row = (np.arange(hours.start, hours.stop, hours.step) - model.measured.first_slot) // hours.step
    for start in range(0, len(homes), DRAWN):
        drawn = np.arange(start, min(start + DRAWN, len(homes)))
        shift = 24 * random.integers(-SHIFT, SHIFT + 1, len(drawn))
        place = row[:, None] + shift, drawn % model.measured.consumption_wh.shape[1]
        used = model.measured.consumption_wh[place] * random.integers(*SCALE, len(drawn)) // 1000
        consumption[:, drawn] = _split(used, random, quarters, spread=1.0)
        has_pv = np.array([homes[i].pv_w > 0 for i in drawn])
        generation[:, drawn] = _split(model.measured.generation_wh[place] * has_pv, random, quarters, spread=0.1)
    return consumption, generation


def _split(hourly_wh: IntArray, random: np.random.Generator, parts: int, spread: float) -> IntArray:
    """Split hours [Wh], (hours, members), at random into so many parts that add up to them; spread 0 splits evenly."""
    weight = 1 + spread * random.exponential(size=(len(hourly_wh), parts, hourly_wh.shape[1]))
    upto = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    reached = np.rint(upto * hourly_wh[:, None]).astype(np.int64)
    split: IntArray = np.diff(reached, axis=1, prepend=0).reshape(-1, hourly_wh.shape[1])
    return split
