"""Why a battery did something: what the plan weighed for the slot, beside what the home's meters then said.

What a battery did is weighed against doing nothing, and what it left against what it could have done:

    what energy cost or brought  C = [grid cost with it − grid cost without it] / Wh at the meter
    what the level was worth     W = [value of the level after it − value of the level before it] / Wh at the meter
    without it                   Wh x (W − C) when it charged, Wh x (C − W) when it gave

The value of a level is the sum of what its Wh are worth in the plan, so the difference is what the plan itself would
have cost more [n¤], at the prices it expected.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from transactive.core.community.members import Devices, deliverable_wh, drawn_wh
from transactive.core.tables import DeviceRules
from transactive.trading.devices.follow import follow
from transactive.trading.devices.made import WeighedSlot

NEARLY = 50
"""A battery is full, empty or off its plan within a fiftieth of what it holds."""


class Did(StrEnum):
    """What a battery did in a slot, or why it could not."""

    STORED = "stored"
    STORED_AND_TOOK = "stored_and_took"
    TOOK = "took"
    SERVED = "served"
    SERVED_IN_PART = "served_in_part"
    SERVED_AND_GAVE = "served_and_gave"
    GAVE = "gave"
    KEPT = "kept"
    LEFT_ROOM = "left_room"
    FULL = "full"
    EMPTY = "empty"
    AT_RESERVE = "at_reserve"
    RESTED = "rested"


@dataclass(frozen=True, slots=True)
class MovedEnergy:
    """A delivered slot of one battery, at the meter [Wh]. net_load_wh: of the home without it; held_wh: before.

    promised_wh: bought − sold ahead, where the battery keeps to it.
    """

    charge_wh: int
    discharge_wh: int
    net_load_wh: int
    held_wh: int
    promised_wh: int = 0


@dataclass(frozen=True, slots=True)
class BatteryLimits:
    """What a battery can hold and do in a slot [Wh], what it keeps, and Wh given for a million held."""

    capacity_wh: int
    reserve_wh: int
    power_wh: int
    efficiency_ppm: int


@dataclass(frozen=True, slots=True)
class Why:
    """A slot explained.

    energy_wh: at the meter, of what it did or could have done. price: what that cost or brought a kWh, and worth: what
    it was worth held, both as planned [µ¤/kWh]; None where nothing was weighed, or a trade decided against it.
    otherwise_n: what the plan would have cost more without it [n¤]. rule_wh: what the plan's rule came to for this
    load (charged − given), where the battery did something else. at_power: whether its power allowed no more.
    surprised: whether the load was outside its band.
    """

    did: Did
    energy_wh: int
    price: int | None = None
    worth: int | None = None
    otherwise_n: int | None = None
    rule_wh: int | None = None
    at_power: bool = False
    surprised: bool = False


def why(moved: MovedEnergy, limits: BatteryLimits, weighed: WeighedSlot | None) -> Why:
    """Explain a delivered slot. weighed: what the plan weighed for it; None if none was kept."""
    did, flow_wh = _did(moved, limits), moved.charge_wh - moved.discharge_wh
    could_wh = flow_wh or _could(did, moved, limits)
    at_power = 0 < limits.power_wh <= abs(flow_wh)
    if weighed is None or not weighed.worth:
        return Why(did, abs(could_wh), at_power=at_power)
    by_rule = rule_flow_wh(moved, limits, weighed)
    rule_wh = by_rule if abs(by_rule - flow_wh) > limits.capacity_wh // NEARLY else None
    surprised = not weighed.load_wh[0] <= moved.net_load_wh <= weighed.load_wh[-1]
    if not could_wh:
        return Why(did, 0, rule_wh=rule_wh, at_power=at_power, surprised=surprised)
    cost_n = _cost_n(moved.net_load_wh + could_wh, weighed) - _cost_n(moved.net_load_wh, weighed)
    after = _held_after(moved.held_wh, could_wh, limits)
    worth_n = held_value_n(weighed.worth, limits, after) - held_value_n(weighed.worth, limits, moved.held_wh)
    gain_n = worth_n - cost_n if flow_wh else cost_n - worth_n
    if gain_n < 0 and moved.promised_wh:
        return Why(did, abs(could_wh), rule_wh=rule_wh, at_power=at_power, surprised=surprised)
    price, worth = cost_n // could_wh, worth_n // could_wh
    return Why(did, abs(could_wh), price, worth, gain_n, rule_wh, at_power, surprised)


def held_value_n(worth: tuple[int, ...], limits: BatteryLimits, held_wh: int) -> int:
    """What all held Wh above the reserve are worth [n¤], step by step from below."""
    room = limits.capacity_wh - limits.reserve_wh
    edges = [limits.reserve_wh + room * step // len(worth) for step in range(len(worth) + 1)]
    pairs = zip(edges[:-1], edges[1:], worth, strict=True)
    return sum(each * min(max(held_wh - low, 0), high - low) for low, high, each in pairs)


def _cost_n(grid_wh: int, weighed: WeighedSlot) -> int:
    """Cost of what the home takes from the grid, or what it gives brings, as planned [n¤]."""
    return max(grid_wh, 0) * weighed.need_price + min(grid_wh, 0) * weighed.spare_price


def _held_after(held_wh: int, flow_wh: int, limits: BatteryLimits) -> int:
    """Level after a flow at the meter [Wh]."""
    return held_wh + flow_wh if flow_wh > 0 else held_wh - int(drawn_wh(-flow_wh, limits.efficiency_ppm))


def _did(moved: MovedEnergy, limits: BatteryLimits) -> Did:
    """What a battery did, by its meters alone."""
    spare, margin = -moved.net_load_wh, limits.capacity_wh // NEARLY
    if moved.charge_wh:
        return Did.STORED if spare >= moved.charge_wh else Did.STORED_AND_TOOK if spare > 0 else Did.TOOK
    if moved.discharge_wh:
        need = max(moved.net_load_wh, 0)
        if moved.discharge_wh <= need:
            return Did.SERVED if moved.discharge_wh == need else Did.SERVED_IN_PART
        return Did.SERVED_AND_GAVE if need else Did.GAVE
    if spare > 0:
        return Did.FULL if moved.held_wh >= limits.capacity_wh - margin else Did.LEFT_ROOM
    if spare < 0:
        if moved.held_wh <= limits.reserve_wh + margin:
            return Did.AT_RESERVE if limits.reserve_wh else Did.EMPTY
        return Did.KEPT
    return Did.RESTED


def _could(did: Did, moved: MovedEnergy, limits: BatteryLimits) -> int:
    """What a battery at rest could have charged of what was spare, or given to the home (below 0) [Wh]."""
    if did is Did.LEFT_ROOM:
        return min(-moved.net_load_wh, limits.power_wh, limits.capacity_wh - moved.held_wh)
    if did is Did.KEPT:
        held = max(moved.held_wh - limits.reserve_wh, 0)
        return -min(moved.net_load_wh, limits.power_wh, int(deliverable_wh(held, limits.efficiency_ppm)))
    return 0


def rule_flow_wh(moved: MovedEnergy, limits: BatteryLimits, weighed: WeighedSlot) -> int:
    """What the plan's rule came to for the real load: charged − given [Wh]."""
    capacity, power, efficiency, held, load = (
        np.array([number], np.int64)
        for number in (limits.capacity_wh, limits.power_wh, limits.efficiency_ppm, moved.held_wh, moved.net_load_wh)
    )
    levels = (np.array([level], np.int64) for level in weighed.levels_wh)
    rule = replace(DeviceRules(weighed.slot, *levels), promised_wh=np.array([moved.promised_wh], np.int64))
    devices = Devices(np.zeros_like(power), capacity, power, efficiency)
    charge, discharge, _ = follow(rule, devices, held, load)
    return int(charge[0] - discharge[0])
