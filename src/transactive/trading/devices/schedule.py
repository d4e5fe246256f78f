"""Schedules: the rule of now for a battery, and a device followed through its slots.

In a receding horizon only the first slot's rule of a plan is followed, and the next slot has a plan of its own. No plan
depends on the charge that the others lead to, so those of many times of issue are made at once, a column each.

Source of the method: Bertsekas, Dynamic Programming and Optimal Control I, 4th edition, chapter 6.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.units import IntArray
from transactive.trading.devices.plan import by_columns, groups_of, rules
from transactive.trading.devices.stores import PlanHorizon, Stores, batteries, step

FINE = 64
"""Steps of held energy where a plan is made once and followed to its end."""


@dataclass(frozen=True, slots=True, eq=False)
class Schedule:
    """What devices do, (slots, devices) [Wh]: drawn and given at the meter, held after the slot, missed of the least.

    worth: what one more held Wh would save after the slot [µ¤/kWh].
    """

    draw_wh: IntArray
    give_wh: IntArray
    held_wh: IntArray
    missed_wh: IntArray
    worth: IntArray


def rules_now(ahead: PlanHorizon, devices: Devices) -> IntArray:
    """Levels of the first slot's rule in the order of `DeviceRules` [Wh], (4, plans); devices: a battery a plan."""
    now: IntArray = rules(batteries(devices, len(ahead.need_price)), ahead, upto=1)[0]
    return now


def planned(stores: Stores, ahead: PlanHorizon, held_wh: IntArray, levels: int = FINE) -> Schedule:
    """Plan once, and follow the plan with the mean of its samples as the home's net load.

    held_wh: at the start, (devices,).
    """
    slots, devices = ahead.need_price.shape
    columns = np.empty((5, slots, devices), np.int64)
    for group in groups_of(ahead, levels):
        own, seen, held = stores.part(group), ahead.part(group), held_wh[group]
        found, worths = by_columns(own, seen, levels, slots)
        width = np.maximum(own.most_wh.max(axis=0), 1)
        for t in range(slots):
            net_load_wh = seen.net_load_wh[t].sum(axis=0) // seen.net_load_wh.shape[1]
            draw, give, held, missed = step(found[t], own, t, held, net_load_wh, seen.most_import_wh)
            place = np.minimum(held * levels // width, levels - 1)
            worth = np.take_along_axis(worths[t], place[None], axis=0)[0]
            columns[:, t, group] = draw, give, held, missed, worth
    return Schedule(*columns)
