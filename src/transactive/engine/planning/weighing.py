"""What a fleet's newest plan weighed and expects, for those who explain it later."""

from __future__ import annotations

import numpy as np

from transactive.core.tables import DeviceRules, Forecast
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import Fleet
from transactive.trading.devices.made import MadePlan, band, expected_levels


def made_plan(fleet: Fleet, made: int, near: Forecast | None, ahead: Forecast) -> MadePlan | None:
    """The newest plan of a fleet, made at a time [Unix s]; None if it did not keep what it weighed.

    near, ahead: samples of members with a battery, from the newest delivered slot to the plan, and in its slots; what
    batteries hold as the plan begins follows from the middle of `near`.
    """
    if fleet.weighed is None:
        return None
    (rules, (need, spare), worth), fleet.weighed = fleet.weighed, None
    members = np.flatnonzero(fleet.devices.capacity_wh)
    devices = fleet.devices.rows(members)

    def held_after(rule: DeviceRules, held_wh: IntArray, load_wh: IntArray) -> IntArray:
        return fleet.follow_rule(rule, devices, held_wh, load_wh, members)[2]

    held = fleet.charged_wh[members][None]
    for slot, load in () if near is None else zip(near.slots.tolist(), near.net_load_wh, strict=True):
        if slot in fleet.rules:  # before the first slot of the market no battery moves
            held = held_after(fleet.rules[slot].rows(members), held, band(load)[1:2])
    samples = np.broadcast_to(held, (ahead.net_load_wh.shape[1], len(members)))
    levels = expected_levels(rules, held_after, ahead.net_load_wh, samples)
    load_wh = np.stack([band(load) for load in ahead.net_load_wh])
    kept = np.stack([rule.levels_wh for rule in rules])
    return MadePlan(made, ahead.slots, len(worth), members, kept, need, spare, load_wh, levels, worth)
