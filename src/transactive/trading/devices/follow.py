"""What a device does in real time: it sees the home's net load and follows the four levels of its rule.

The same formulas move devices at delivery, for each sample of the forecast when orders are made, and in the plan. They
take columns or single numbers, so that numba translates them as they stand.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from transactive.core.community.members import Devices, deliverable_wh, drawn_wh
from transactive.core.tables import DeviceRules
from transactive.core.units import PPM, IntArray, Whole


class Traits(NamedTuple):
    """What some device of a group has; what none has is not computed, with the same result.

    gives: it can give back. gains: it holds more or less than it draws. needs: something is drained, or must be held.
    limited: the connection may be in the way. street: the plan knows what others do beside it.
    """

    gives: bool
    gains: bool
    needs: bool
    limited: bool
    street: bool = False


class Reach(NamedTuple):
    """What a rule lets a device do from what it holds, at the meter, whatever the net load [Wh].

    from_grid, from_surplus: to draw. most_draw: with room and power for it. serve, export: to give to the home, and to
    the grid. most_give: by its power; all_held: all that it holds.
    """

    from_grid: Whole
    from_surplus: Whole
    most_draw: Whole
    serve: Whole
    export: Whole
    most_give: Whole
    all_held: Whole


BATTERY = Traits(gives=True, gains=False, needs=False, limited=False)


def follow(
    rules: DeviceRules, devices: Devices, charged_wh: IntArray, net_load_wh: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Charge, discharge and the new charge level [Wh] of batteries for a measured net load.

    charged_wh, net_load_wh: shapes that broadcast with (members,), for example (samples, members); net load is positive
    where the home needs energy. At most one of charge and discharge is positive. What was traded ahead counts as if it
    were load: the battery keeps the home's meter at it.
    """
    if rules.promised_wh is not None:
        net_load_wh = net_load_wh - rules.promised_wh
    levels = rules.grid_charge_to_wh, rules.surplus_charge_to_wh, rules.serve_down_to_wh, rules.export_down_to_wh
    power, efficiency = devices.power_wh, devices.efficiency_ppm
    wh = reach(levels, BATTERY, charged_wh, devices.capacity_wh, power, power, PPM, efficiency)
    charge, discharge = act(wh, BATTERY, net_load_wh, 0)
    after = held_after(BATTERY, charged_wh, devices.capacity_wh, charge, discharge, PPM, efficiency)
    return charge, discharge, after


def reach(
    levels: tuple[Whole, Whole, Whole, Whole],
    has: Traits,
    held_wh: Whole,
    most_wh: Whole,
    draw_wh: Whole,
    give_wh: Whole,
    gain_ppm: Whole,
    efficiency_ppm: Whole,
) -> Reach:
    """How far a device can go from what it holds: levels in the order of `DeviceRules`.

    most_wh: what it can hold; draw_wh, give_wh: its power at the meter, in the slot.
    """
    grid_to, surplus_to, serve_to, export_to = levels
    from_grid, from_surplus = np.maximum(grid_to - held_wh, 0), np.maximum(surplus_to - held_wh, 0)
    room = np.maximum(most_wh - held_wh, 0)
    if has.gains:
        from_grid, from_surplus, room = (
            filling_wh(from_grid, gain_ppm),
            filling_wh(from_surplus, gain_ppm),
            filling_wh(room, gain_ppm),
        )
    serve = export = all_held = 0 * held_wh
    if has.gives:
        serve = deliverable_wh(np.maximum(held_wh - serve_to, 0), efficiency_ppm)
        export = deliverable_wh(np.maximum(held_wh - export_to, 0), efficiency_ppm)
    if has.gives and has.limited:
        all_held = deliverable_wh(np.maximum(held_wh, 0), efficiency_ppm)
    return Reach(from_grid, from_surplus, np.minimum(room, draw_wh), serve, export, give_wh, all_held)


def act(wh: Reach, has: Traits, net_load_wh: Whole, most_import_wh: Whole) -> tuple[Whole, Whole]:
    """Drawn and given at the meter [Wh] for a net load.

    A device never draws its home above the connection's limit; where the home itself is above it, a device gives what
    is missing as far as it can.
    """
    draw = np.minimum(np.maximum(np.minimum(np.maximum(-net_load_wh, 0), wh.from_surplus), wh.from_grid), wh.most_draw)
    if has.limited:
        draw = np.minimum(draw, np.maximum(most_import_wh - net_load_wh, 0))
    if not has.gives:
        return draw, 0
    give = np.maximum(np.minimum(np.maximum(net_load_wh, 0), wh.serve), wh.export)
    if has.limited:
        give = np.maximum(give, np.minimum(np.maximum(net_load_wh - most_import_wh, 0), wh.all_held))
    return draw, np.minimum(give, wh.most_give)


def held_after(
    has: Traits, held_wh: Whole, most_wh: Whole, draw: Whole, give: Whole, gain_ppm: Whole, efficiency_ppm: Whole
) -> Whole:
    """What a device holds once it has drawn and given [Wh]; what was drained beyond it, and owed, is below 0."""
    filled = filled_wh(has, held_wh, most_wh, draw, gain_ppm)
    return filled - drawn_wh(give, efficiency_ppm) if has.gives else filled


def filled_wh(has: Traits, held_wh: Whole, most_wh: Whole, draw: Whole, gain_ppm: Whole) -> Whole:
    """What a device holds once it has drawn [Wh]."""
    if not has.gains:
        return held_wh + draw
    return np.minimum(held_wh + draw * gain_ppm // PPM, np.maximum(most_wh, held_wh))  # the last Wh may not fit whole


def filling_wh(room_wh: Whole, gain_ppm: Whole) -> Whole:
    """Wh to draw until so much more is held: rounded up."""
    return -(-room_wh * PPM // gain_ppm)
