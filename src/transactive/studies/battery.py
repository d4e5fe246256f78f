"""A battery on recorded days: planned as in a run and anew in each slot, beside the simple rule and perfect foresight.

All begin with the same charge, and what a battery holds at the end is credited to each at the same price. Forecasts see
the readings of slots that have ended; real-time control sees the slot's own load. Prices of the coming day are taken to
be known, as those of a tariff or of a day-ahead auction are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.slots import DAY, MarketClock
from transactive.core.tables import Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import LOOK_AHEAD, Fleet
from transactive.engine.devices.recorded_history import RecordedHistory, ReplayClock
from transactive.engine.models.net_load import EMPIRICAL, NetLoadForecast
from transactive.forecasting.day_so_far import SAMPLE_DAYS, samples_so_far
from transactive.trading.devices.energy_value import PricePair
from transactive.trading.devices.foresight import least_cost_n
from transactive.trading.devices.plan import grid_cost
from transactive.trading.devices.schedule import rules_now
from transactive.trading.devices.stores import PlanHorizon, Stores, batteries, step

GATE_SECONDS = 3600
"""Time from the plan to the first slot of its day, as from gate closure to delivery."""
NUMBERS = 4_000_000
"""So many samples are held at once."""


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """What happened, and what each member has.

    load_wh, pv_wh: (slots, members), from `first_slot` [Unix s] on in slots of `length` [s]. need_price, spare_price:
    of a Wh taken and of one given [µ¤/kWh], (slots,); spare nowhere above need. initial_wh: charge to begin with;
    most_import_wh: in a slot, at the connection.
    """

    first_slot: int
    length: int
    load_wh: IntArray
    pv_wh: IntArray
    need_price: IntArray
    spare_price: IntArray
    devices: Devices
    initial_wh: int
    most_import_wh: int

    @property
    def net_load_wh(self) -> IntArray:
        """Load less PV [Wh], (slots, members)."""
        return self.load_wh - self.pv_wh


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """What one way to run the batteries came to, (members,).

    cost_n: with the charge at the end credited [n¤]. over_wh: what was taken above the limit at the connection.
    """

    cost_n: IntArray
    over_wh: IntArray


Rules = Callable[[int], IntArray]
"""Levels of the rule for a slot, (4, members), in the order of `DeviceRules`."""
Told = Callable[[str], None]


def rest_price(recorded: Recorded, tested: range) -> int:
    """What a Wh that is left to deliver at the end is worth to all alike: the cheapest price of the tested slots."""
    return int(recorded.need_price[tested.start : tested.stop].min())


def first_tested(recorded: Recorded) -> int:
    """Row of the first slot whose forecast has all its samples."""
    return (SAMPLE_DAYS + 1) * DAY // recorded.length


def without_control(recorded: Recorded, tested: range) -> Kept:
    """The battery stands still."""
    return run(recorded, tested, _same_rule(recorded, charge=False))


def simple_rule(recorded: Recorded, tested: range) -> Kept:
    """Self-consumption: store any surplus, serve any deficit, take nothing from the grid to charge."""
    return run(recorded, tested, _same_rule(recorded, charge=True))


def scheduled(recorded: Recorded, tested: range, told: Told, net_load_forecast: NetLoadForecast | None = None) -> Kept:
    """Planned anew in every slot from what was known before it: by the day so far, or by another forecast."""
    planned = _planned(recorded, tested, told, net_load_forecast)
    return run(recorded, tested, lambda _: next(planned))


def forecast_by(name: str, recorded: Recorded, tested: range) -> NetLoadForecast:
    """The forecast of a run over the tested slots by a forecaster."""
    start, end = (recorded.first_slot + row * recorded.length for row in (tested.start, len(recorded.load_wh)))
    past = RecordedHistory(ReplayClock(end), recorded.first_slot, recorded.length, recorded.load_wh, recorded.pv_wh)
    return NetLoadForecast(name, past, _clock(recorded), start)


def _clock(recorded: Recorded) -> MarketClock:
    return MarketClock(recorded.length, 0, DAY // recorded.length)


def as_in_a_run(recorded: Recorded, tested: range) -> Kept:
    """Planned once a day, an hour before it begins, from plain days: by the fleet and the forecast of a run."""
    length, expected = recorded.length, forecast_by(EMPIRICAL, recorded, tested)

    def row(slot: int) -> int:
        return (slot - recorded.first_slot) // length

    def prices(ahead: Forecast, _: Sequence[Tariff]) -> PricePair:
        rows = slice(row(int(ahead.slots[0])), row(int(ahead.slots[-1])) + 1)
        return recorded.need_price[rows], recorded.spare_price[rows]

    fleet = Fleet(recorded.devices, _clock(recorded), prices)
    last = recorded.first_slot + len(recorded.need_price) * length

    def rules(t: int) -> IntArray:
        slot = recorded.first_slot + t * length
        if slot not in fleet.rules:
            slots = range(slot, min((slot // DAY + 1) * DAY + LOOK_AHEAD, last), length)
            ahead = expected.forecast(slot - GATE_SECONDS, slots)
            fleet.plan(ahead, ahead, ())
        rule = fleet.rules.pop(slot)
        names = ("grid_charge_to_wh", "surplus_charge_to_wh", "serve_down_to_wh", "export_down_to_wh")
        return np.stack([getattr(rule, name) for name in names])

    return run(recorded, tested, rules)


def foreseen(recorded: Recorded, tested: range, told: Told) -> Kept:
    """The least possible cost, by a linear program over all tested slots."""
    rows = slice(tested.start, tested.stop)
    stores = allowed(batteries(recorded.devices, len(tested)), recorded.devices, recorded.net_load_wh[rows])
    need, spare = recorded.need_price[rows], recorded.spare_price[rows]
    rest, most = rest_price(recorded, tested), recorded.most_import_wh
    costs, over = [], []
    for member, net_load_wh in enumerate(recorded.net_load_wh[rows].T):
        told(f"perfect foresight of member {member + 1} of {recorded.load_wh.shape[1]}")
        cost_n, over_wh = least_cost_n(stores, member, net_load_wh, need, spare, rest, recorded.initial_wh, most)
        costs.append(round(cost_n))
        over.append(round(over_wh))
    return Kept(np.array(costs, np.int64), np.array(over, np.int64))


def allowed(stores: Stores, devices: Devices, net_load_wh: IntArray) -> Stores:
    """Let batteries draw no more than a surplus and give no more than the home needs, where owners want it so."""
    draw_wh, give_wh = stores.draw_wh, stores.give_wh
    if devices.own_only is not None:
        draw_wh = np.where(devices.own_only, np.clip(-net_load_wh, 0, draw_wh), draw_wh)
    if devices.home_only is not None:
        give_wh = np.where(devices.home_only, np.clip(net_load_wh, 0, give_wh), give_wh)
    return replace(stores, draw_wh=draw_wh, give_wh=give_wh)


def run(recorded: Recorded, tested: range, rules: Rules) -> Kept:
    """Follow a rule for each tested slot, in order, with the load as it was."""
    members = recorded.load_wh.shape[1]
    charged = np.full(members, recorded.initial_wh, np.int64)
    cost, over = np.zeros(members, np.int64), np.zeros(members, np.int64)
    most = np.full(members, recorded.most_import_wh, np.int64)
    stores = batteries(recorded.devices, 1)
    for t in tested:
        net_load_wh = recorded.load_wh[t] - recorded.pv_wh[t]
        charge, discharge, charged, _ = step(rules(t), stores, 0, charged, net_load_wh, most)
        grid_wh = net_load_wh + charge - discharge
        cost += grid_cost(grid_wh, int(recorded.need_price[t]), int(recorded.spare_price[t]))
        over += np.maximum(grid_wh - most, 0)
    return Kept(cost - rest_price(recorded, tested) * recorded.devices.deliverable_wh(charged), over)


def _planned(
    recorded: Recorded, tested: range, told: Told, net_load_forecast: NetLoadForecast | None
) -> Iterator[IntArray]:
    """Rules of the tested slots, one after the other; plans of many slots are made at once."""
    members, horizon = recorded.load_wh.shape[1], DAY // recorded.length
    at_once = max(NUMBERS // (horizon * SAMPLE_DAYS * members), 1)
    for start in range(tested.start, tested.stop, at_once):
        told(f"slot {start - tested.start} of {len(tested)}")
        issued = np.arange(start, min(start + at_once, tested.stop))
        samples = (
            samples_so_far(recorded.load_wh, recorded.pv_wh, recorded.length, issued, horizon)
            if net_load_forecast is None
            else _samples(net_load_forecast, recorded, issued.tolist(), horizon)
        )
        need, spare = (
            np.repeat(_ahead(price, issued, horizon), members, axis=1)
            for price in (recorded.need_price, recorded.spare_price)
        )
        plans = need.shape[1]
        most = np.full(plans, recorded.most_import_wh, np.int64)
        ahead = PlanHorizon(samples.reshape(horizon, -1, plans), need, spare, need.min(axis=0), most)
        levels = rules_now(ahead, recorded.devices.rows(np.tile(np.arange(members), len(issued))))
        yield from levels.reshape(4, len(issued), members).transpose(1, 0, 2)


def _samples(net_load_forecast: NetLoadForecast, recorded: Recorded, issued: list[int], horizon: int) -> IntArray:
    """Samples of a forecast as `samples_so_far` gives them, as many as all issues have."""
    found = []
    for known in issued:
        first = recorded.first_slot + known * recorded.length
        slots = range(first, first + horizon * recorded.length, recorded.length)
        found.append(net_load_forecast.forecast(first, slots).net_load_wh)
    samples = min(net_load_wh.shape[1] for net_load_wh in found)
    return np.stack([net_load_wh[:, :samples] for net_load_wh in found], axis=2)


def _ahead(price: IntArray, issued: IntArray, horizon: int) -> IntArray:
    """Prices of the coming slots, (horizon, issues); those after the file's end are the ones of a day earlier."""
    rows = issued + np.arange(horizon)[:, None]
    return price[np.where(rows < len(price), rows, rows - horizon)]


def _same_rule(recorded: Recorded, *, charge: bool) -> Rules:
    """Self-consumption, or rest: levels that no charge is below or above."""
    full, none = recorded.devices.capacity_wh, np.zeros_like(recorded.devices.capacity_wh)
    rule = np.stack((none, full, none, full) if charge else (none, none, full, full))
    return lambda _: rule
