"""Vehicles, heaters and appliances of homes, day after day, as stores: see `trading.devices.stores`.

A trip takes its energy in the slot after the last one at home; a drain takes heat in every slot. What a store does not
hold then is owed: it holds less than nothing until it has been drawn, so a need may be met later, but is never lost. An
appliance is a store without room: its run is owed from the start that its plan chose (`runs`), and drawn at once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.community.shiftable import Appliance, Heater, Shiftable, Vehicle, minutes
from transactive.core.errors import InputError
from transactive.core.units import PPM, BoolArray, IntArray
from transactive.trading.devices.kinds import best_start
from transactive.trading.devices.stores import PlanHorizon, Stores, step

DAY_MINUTES = 1440


def stores_of(devices: Sequence[Shiftable], slots: IntArray, length: int) -> Stores:
    """Columns of devices over slots (starts [Unix s], (slots,)) of `length` [s]."""
    shape = len(slots), len(devices)
    draw, least, most, drain = (np.zeros(shape, np.int64) for _ in range(4))
    gain, keep = np.empty(len(devices), np.int64), np.full(len(devices), PPM)
    for column, device in enumerate(devices):
        power_wh = device.power_w * length // 3600
        if isinstance(device, Vehicle):
            here, last, gone = at_home(device, slots, length)
            draw[:, column], most[:, column] = power_wh * here, device.needed_wh
            least[:, column], drain[:, column] = device.needed_wh * last, device.needed_wh * gone
            gain[column] = device.efficiency_ppm
        elif isinstance(device, Appliance):
            draw[:, column], gain[column] = power_wh, PPM
        else:
            draw[:, column], most[:, column] = power_wh, device.band_wh
            drain[:, column] = np.array(device.drain_wh)[slots % 86_400 // 3600] * length // 3600
            gain[column], keep[column] = device.performance_ppm, PPM - device.loses_ppm * length // 3600
    nothing, whole = np.zeros(shape, np.int64), np.full(len(devices), PPM)
    return Stores(draw, nothing, least, most, drain, gain, whole, keep)


def at_home(device: Vehicle, slots: IntArray, length: int) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Whether a vehicle is at home for a whole slot, whether it leaves after it, and whether it has just left."""
    time, width = slots % 86_400 // 60, length // 60
    stay = whole_slots(device, width)
    since = (time - -(-minutes(device.arrives) // width) * width) % DAY_MINUTES // width
    return since < stay, since == stay - 1, since == stay


def whole_slots(device: Vehicle, width: int) -> int:
    """Whole slots of `width` [min] that a vehicle is at home each day."""
    return _slots_between(device.arrives, device.leaves, width)


def window_slots(device: Appliance, width: int) -> int:
    """Whole slots of `width` [min] between the earliest start and the latest end of a run."""
    return _slots_between(device.earliest, device.latest, width)


def run_slots(device: Appliance, width: int) -> int:
    """Slots of `width` [min] that a run takes, rounded up."""
    return -(-device.runs_minutes // width)


def _slots_between(start: str, end: str, width: int) -> int:
    """Whole slots of `width` [min] between two times of day, of which the second may be the next day's."""
    first, last = minutes(start), minutes(end)
    last = last if last > first else last + DAY_MINUTES
    return max(last // width - -(-first // width), 0)


def runs(device: Appliance, slots: IntArray, length: int, ahead: PlanHorizon, until: int) -> list[int]:
    """Rows of the slots in which an appliance begins its runs, the cheapest of each window.

    Of the windows that open in `slots` before `until` [Unix s]; one whose run would not end within the slots has none.
    ahead: of the appliance's home alone.
    """
    width = length // 60
    opens = -(-minutes(device.earliest) // width) * width % DAY_MINUTES
    profile = np.full(run_slots(device, width), device.power_w * length // 3600)
    found = []
    for row in np.flatnonzero((slots % 86_400 // 60 == opens) & (slots < until)).tolist():
        latest = min(row + window_slots(device, width), len(slots)) - len(profile)
        if latest >= row:
            found.append(int(best_start(profile, ahead, row, latest)[0][0]))
    return found


def check_device(device: Shiftable, width: int) -> None:
    """Refuse a device that cannot have what it needs in slots of `width` [min]. Raises InputError."""
    if isinstance(device, Appliance):
        room, needed = window_slots(device, width), run_slots(device, width)
        if room < needed:
            raise InputError(
                f"from earliest = {device.earliest!r} to latest = {device.latest!r} are {room} slots of {width}"
                f" minutes, its run takes {needed}; give it more time"
            )
        return
    if isinstance(device, Heater):
        most_wh, needed_wh = device.power_w * 24 * device.performance_ppm // PPM, sum(device.drain_wh)
        if most_wh < needed_wh:
            raise InputError(
                f"at power_w = {device.power_w} it gives {most_wh} Wh of heat a day, drain_wh takes {needed_wh}; give"
                " more power, or a smaller drain"
            )
        return
    stay = whole_slots(device, width)
    if not 0 < stay < DAY_MINUTES // width:
        raise InputError(
            f"from arrives = {device.arrives!r} to leaves = {device.leaves!r} are {stay} slots of {width} minutes:"
            " it must be at home for some of them and away for some"
        )
    most_wh = device.power_w * width // 60 * stay * device.efficiency_ppm // PPM
    if most_wh < device.needed_wh:
        raise InputError(
            f"at power_w = {device.power_w} it holds {most_wh} Wh at most when it leaves, not needed_wh ="
            f" {device.needed_wh}; give more power or time, or a smaller need"
        )


def first_held_wh(devices: Sequence[Shiftable]) -> IntArray:
    """What devices hold before a run: vehicles what they need, heaters half of their band, appliances nothing."""
    held = [d.needed_wh if isinstance(d, Vehicle) else d.band_wh // 2 if isinstance(d, Heater) else 0 for d in devices]
    return np.array(held, np.int64)


def drawn(
    rule: IntArray, stores: Stores, t: int, held_wh: IntArray, net_load_wh: IntArray, most_import_wh: IntArray
) -> tuple[IntArray, IntArray]:
    """Follow a rule through slot t: what is drawn [Wh] and held after it; what is owed is held negatively."""
    draw, _, held, missed = step(rule, stores, t, held_wh, net_load_wh, most_import_wh)
    return draw, np.where(missed > 0, stores.least_wh[t] - missed, held)
