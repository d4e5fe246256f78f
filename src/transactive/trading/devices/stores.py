"""Devices that hold energy, as columns: a battery, an electric vehicle, a boiler, a heat pump.

    held after = held before x keep − drain + gain x drawn − given / efficiency

What differs are the columns: an electric vehicle can draw between arrival and departure and must hold at departure what
its trip needs; a boiler or a heated house gains a multiple of what it draws (its coefficient of performance), loses a
part of what it holds, is drained by use, and must stay in its comfort band.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.units import PPM, IntArray, Whole
from transactive.trading.devices.follow import Traits, act, held_after, reach

NO_LIMIT_WH = 1 << 40
"""What a connection without a limit lets in in a slot."""


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """Devices as columns, (slots, devices), the last five (devices,).

    draw_wh, give_wh: most that each draws or gives at the meter in a slot. least_wh, most_wh: what it has to hold, and
    can hold, at the end of a slot. drain_wh: what is taken out of it in a slot. gain_ppm: held Wh for a million drawn;
    efficiency_ppm: given Wh for a million held; keep_ppm: of a million held Wh, what is there a slot later.
    grid_fill_wh, grid_give_wh: how far the grid may fill it at most, and down to where it may give to the grid.
    """

    draw_wh: IntArray
    give_wh: IntArray
    least_wh: IntArray
    most_wh: IntArray
    drain_wh: IntArray
    gain_ppm: IntArray
    efficiency_ppm: IntArray
    keep_ppm: IntArray
    grid_fill_wh: IntArray
    grid_give_wh: IntArray

    def part(self, devices: slice | IntArray) -> Stores:
        """Some of the devices."""
        return Stores(*(getattr(self, field.name)[..., devices] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class PlanHorizon:
    """What plans look at, a column a device; the first slot is the one that begins.

    net_load_wh: of the home without the device, (slots, samples, devices). need_price: what a Wh costs that the home
    takes [µ¤/kWh], (slots, devices); spare_price: what one brings that it gives, nowhere above need_price. rest_price:
    what a Wh given after the last slot will save [µ¤/kWh], (devices,). most_import_wh: what the connection lets in in a
    slot, (devices,). In a street also beside_wh: net load of those beside the home, shape of net_load_wh; room: what a
    Wh that meets them saves [µ¤/kWh], (slots, devices), at most need_price − spare_price.
    """

    net_load_wh: IntArray
    need_price: IntArray
    spare_price: IntArray
    rest_price: IntArray
    most_import_wh: IntArray
    beside_wh: IntArray | None = None
    room: IntArray | None = None

    def part(self, devices: slice) -> PlanHorizon:
        """What some of the devices look at."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        return PlanHorizon(**{name: column[..., devices] for name, column in given.items() if column is not None})


def batteries(devices: Devices, slots: int) -> Stores:
    """Batteries as stores that may do in every slot what they can, and their owners allow."""
    capacity, power, nothing = (
        np.broadcast_to(wh, (slots, len(devices.capacity_wh)))
        for wh in (devices.capacity_wh, devices.power_wh, np.zeros_like(devices.capacity_wh))
    )
    whole = np.full_like(devices.efficiency_ppm, PPM)
    fill, give = np.array(devices.capacity_wh), np.zeros_like(devices.capacity_wh)
    if devices.own_only is not None:
        fill[devices.own_only] = 0
    if devices.home_only is not None:
        give[devices.home_only] = devices.capacity_wh[devices.home_only]
    return Stores(power, power, nothing, capacity, nothing, whole, devices.efficiency_ppm, whole, fill, give)


def left_wh(held_wh: Whole, keep_ppm: Whole, drain_wh: Whole) -> Whole:
    """What is left in a slot of what was held before it, below 0 what was drained beyond it [Wh]."""
    return (held_wh * keep_ppm + PPM // 2) // PPM - drain_wh


def step(
    rule: IntArray, stores: Stores, t: int, held_wh: IntArray, net_load_wh: IntArray, most_import_wh: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Follow a rule through slot t: drawn, given, held after it and missed below the least level [Wh].

    rule: levels (4, devices): how far to fill up from the grid and from surplus, how far down to serve the home and the
    grid. Shapes broadcast with (devices,). What is drained beyond what is held, is missed.
    """
    has = Traits(gives=True, gains=True, needs=True, limited=True)
    left = left_wh(held_wh, stores.keep_ppm, stores.drain_wh[t])
    most, gain, efficiency = stores.most_wh[t], stores.gain_ppm, stores.efficiency_ppm
    levels = rule[0], rule[1], rule[2], rule[3]
    wh = reach(levels, has, left, most, stores.draw_wh[t], stores.give_wh[t], gain, efficiency)
    draw, give = act(wh, has, net_load_wh, most_import_wh)
    after = held_after(has, left, most, draw, give, gain, efficiency)
    return draw, give, np.maximum(after, 0), np.maximum(stores.least_wh[t] - after, 0)
