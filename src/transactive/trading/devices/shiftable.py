"""Vehicles, heaters and appliances of homes, day after day, as stores: see `trading.devices.stores`.

A trip takes its energy in the slot after the last one at home; a drain takes heat in every slot. What a store does not
hold then is owed: it holds less than nothing until it has been drawn, so a need may be met later, but is never lost. An
appliance is a store without room: its run is owed from the start that its plan chose (`runs`), and drawn at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from transactive.core.community.shiftable import (
    DAY_MINUTES,
    Appliance,
    Heater,
    Shiftable,
    Vehicle,
    local_minute_of_day,
    local_minutes,
    minutes,
    on_days,
    weekdays,
)
from transactive.core.errors import InputError
from transactive.core.units import PPM, BoolArray, IntArray
from transactive.trading.devices.kinds import best_start
from transactive.trading.devices.stores import PlanHorizon, Stores, step


def stores_of(devices: Sequence[Shiftable], slots: IntArray, length: int) -> Stores:
    """Columns of devices over slots (starts [Unix s], (slots,)) of `length` [s]."""
    shape = len(slots), len(devices)
    draw, least, most, drain = (np.zeros(shape, np.int64) for _ in range(4))
    gain, keep = np.empty(len(devices), np.int64), np.full(len(devices), PPM)
    for column, device in enumerate(devices):
        power_wh = device.power_w * length // 3600
        if isinstance(device, Vehicle):
            here, last, gone = at_home(device, slots, length)
            needed_wh = need_wh(device, length // 60)
            draw[:, column], most[:, column] = power_wh * here, device.needed_wh
            least[:, column], drain[:, column] = needed_wh * last, needed_wh * gone
            gain[column] = device.efficiency_ppm
        elif isinstance(device, Appliance):
            draw[:, column], gain[column] = power_wh, PPM
        else:
            draw[:, column], most[:, column] = power_wh, device.band_wh
            hour = local_minute_of_day(slots, device.zone) // 60
            drain[:, column] = np.array(device.drain_wh)[hour] * length // 3600
            gain[column], keep[column] = device.performance_ppm, PPM - device.loses_ppm * length // 3600
    nothing, whole = np.zeros(shape, np.int64), np.full(len(devices), PPM)
    anything, full = np.zeros(len(devices), np.int64), most.max(axis=0, initial=0)
    return Stores(draw, nothing, least, most, drain, gain, whole, keep, full, anything)


def at_home(device: Vehicle, slots: IntArray, length: int) -> tuple[BoolArray, BoolArray, BoolArray]:
    """Whether a vehicle is at home for a whole slot, whether it leaves after it, and whether it has just left."""
    here, before, after = (_here(device, slots + shift, length) for shift in (0, -length, length))
    return here, here & ~after, ~here & before


def _here(device: Vehicle, slots: IntArray, length: int) -> BoolArray:
    """Whether no trip falls into slots: one begins on each of its days, and may end on the next."""
    begins, leaves, days = local_minutes(slots, device.zone), minutes(device.leaves), weekdays(device.days)
    away, width = (minutes(device.arrives) - leaves) % DAY_MINUTES, length // 60
    here: BoolArray = np.ones(len(slots), np.bool_)
    for shift in (-1, 0, 1):
        day = begins // DAY_MINUTES * DAY_MINUTES + shift * DAY_MINUTES
        start = day + leaves
        here &= ~(on_days(day, days) & (begins < start + away) & (begins + width > start))
    return here


def need_wh(device: Vehicle, width: int) -> int:
    """What a vehicle takes on a trip of what it got at home [Wh]; with best effort what its shortest stay can give."""
    return min(device.needed_wh, most_held_wh(device, width)) if device.best_effort else device.needed_wh


def most_held_wh(device: Vehicle, width: int) -> int:
    """Most that a vehicle holds when it leaves, after its shortest stay in slots of `width` [min] from empty [Wh]."""
    meant = weekdays(device.days)
    gap = min(next(n for n in range(1, 8) if meant[(day + n) % 7]) for day in range(7) if meant[day])
    stay = whole_slots(device, width) + (gap - 1) * DAY_MINUTES // width
    return device.power_w * width // 60 * stay * device.efficiency_ppm // PPM


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
    for row in np.flatnonzero((local_minute_of_day(slots, device.zone) == opens) & (slots < until)).tolist():
        latest = min(row + window_slots(device, width), len(slots)) - len(profile)
        if latest >= row:
            found.append(int(best_start(profile, ahead, row, latest)[0][0]))
    return found


def check_device(device: Shiftable, width: int) -> None:
    """Refuse a device that cannot have what it needs in slots of `width` [min]. Raises InputError."""
    if device.zone is not None:
        try:
            ZoneInfo(device.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise InputError(
                f"zone = {device.zone!r} is no time zone; give an IANA name such as 'Europe/Vienna'"
            ) from None
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
    if device.starts_wh is not None and device.starts_wh > device.needed_wh:
        raise InputError(f"starts_wh = {device.starts_wh} is more than needed_wh = {device.needed_wh}; give less")
    most_wh = most_held_wh(device, width)
    if most_wh < device.needed_wh and not device.best_effort:
        raise InputError(
            f"at power_w = {device.power_w} it holds {most_wh} Wh at most when it leaves, not needed_wh ="
            f" {device.needed_wh}; give more power or time, a smaller need, or best_effort = true"
        )


def first_held_wh(devices: Sequence[Shiftable]) -> IntArray:
    """What devices hold before a run: vehicles what they need, heaters half of their band, appliances nothing."""
    return np.array([_first_held_of(device) for device in devices], np.int64)


def _first_held_of(device: Shiftable) -> int:
    if isinstance(device, Vehicle):
        return device.needed_wh if device.starts_wh is None else min(device.starts_wh, device.needed_wh)
    return device.band_wh // 2 if isinstance(device, Heater) else 0


def forgives(devices: Sequence[Shiftable]) -> BoolArray:
    """Whether devices owe nothing of what they could not get: they took it elsewhere."""
    return np.array([isinstance(device, Vehicle) and device.best_effort for device in devices], np.bool_)


def drawn(
    rule: IntArray,
    stores: Stores,
    t: int,
    held_wh: IntArray,
    net_load_wh: IntArray,
    most_import_wh: IntArray,
    forgiven: BoolArray,
) -> tuple[IntArray, IntArray]:
    """Follow a rule through slot t: what is drawn [Wh] and held after it; what is owed is held negatively.

    forgiven: devices that owe nothing, (devices,).
    """
    draw, _, held, missed = step(rule, stores, t, held_wh, net_load_wh, most_import_wh)
    owed = np.where(missed > 0, stores.least_wh[t] - missed, held)
    return draw, np.where(forgiven, np.maximum(owed, 0), owed)
