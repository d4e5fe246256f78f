"""The plan number by number, translated to machine code by numba: for long runs and large communities.

The loop is the plan's, device by device, with its own formulas; only the order of the work differs from
`plan.by_columns`, so the rules are the same to the Wh. What a group has none of is left out of its translation, which
takes some seconds, once a process for each kind of group.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from itertools import product
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from transactive.core.community.members import deliverable_wh, drawn_wh
from transactive.core.installed import named_extras
from transactive.core.units import PPM, IntArray
from transactive.trading.devices.follow import Traits, act, filled_wh, filling_wh, reach
from transactive.trading.devices.plan import (
    LARGEST_WORTH,
    NO_STEP,
    Backward,
    Plans,
    between,
    grid_cost,
    last_values,
    level_below,
    slot_cost,
    step_worth,
    traits,
)
from transactive.trading.devices.stores import PlanHorizon, Stores, left_wh
from transactive.trading.devices.street import at_kink, met_wh, street_act

Kernel: TypeAlias = Callable[..., None]
Formula: TypeAlias = Callable[..., Any]
Numbers: TypeAlias = Any
"""Row of an array, or the array: read and written by index."""


class DeviceSlot(NamedTuple):
    """One device in one slot: see `Stores`; most_import_wh of its home; need and spare: prices, and room [µ¤/kWh]."""

    draw_wh: int
    give_wh: int
    least_wh: int
    most_wh: int
    drain_wh: int
    gain_ppm: int
    efficiency_ppm: int
    keep_ppm: int
    grid_fill_wh: int
    grid_give_wh: int
    most_import_wh: int
    need: int
    spare: int
    room: int


@cache
def backward() -> Backward:
    """Translate the loop; the result is what `plan` takes. Raises MissingExtra without numba."""
    with named_extras("planning in machine code"):
        numba, extending = import_module("numba"), import_module("numba.extending")
    actions: tuple[Formula, ...] = (deliverable_wh, drawn_wh, filling_wh, left_wh, reach)
    for formula in (
        *actions,
        step_worth,
        grid_cost,
        level_below,
        between,
        met_wh,
        levels_at,
        among,
        at_kink,
        street_act,
    ):
        extending.register_jitable(formula)
    branching: tuple[Formula, ...] = (act, filled_wh, slot_cost, rule, cost_to_go, go_back)
    for formula in branching:  # inlined, the constants let branches fall away
        extending.register_jitable(inline="always")(formula)

    def kernel(has: Traits) -> Kernel:
        """The loop for a kind of group, which is a constant of the translation; translated at its first call."""

        def of_kind(
            levels: int,
            loads: Numbers,
            beside: Numbers,
            by_slot: tuple[Numbers, ...],
            whole: tuple[Numbers, ...],
            prices: tuple[Numbers, ...],
            level_wh: Numbers,
            value_n: Numbers,
            found: Numbers,
            worths: Numbers,
        ) -> None:
            go_back(has, levels, loads, beside, by_slot, whole, prices, level_wh, value_n, found, worths)

        translated: Kernel = numba.njit(of_kind, nogil=True, error_model="numpy")
        return translated

    kernels = {has: kernel(has) for has in map(Traits._make, product((False, True), repeat=len(Traits._fields)))}

    def by_numbers(stores: Stores, ahead: PlanHorizon, levels: int, upto: int) -> Plans:
        """As `plan.by_columns`."""
        devices = len(stores.gain_ppm)
        found, worths = np.empty((upto, 4, devices), np.int64), np.empty((upto, levels, devices), np.int64)
        loads = np.ascontiguousarray(ahead.net_load_wh.transpose(2, 0, 1))
        level_wh, value_n = (np.ascontiguousarray(column.T) for column in last_values(stores, ahead, levels))
        slots = in_rows(stores.draw_wh, stores.give_wh, stores.least_wh, stores.most_wh, stores.drain_wh)
        whole = in_rows(
            stores.gain_ppm, stores.efficiency_ppm, stores.keep_ppm, stores.grid_fill_wh, stores.grid_give_wh,
            ahead.most_import_wh,
        )  # fmt: skip
        beside = np.ascontiguousarray(ahead.beside_wh.transpose(2, 0, 1)) if ahead.beside_wh is not None else loads
        prices = in_rows(ahead.need_price, ahead.spare_price, ahead.need_price if ahead.room is None else ahead.room)
        kernels[traits(stores, ahead)](levels, loads, beside, slots, whole, prices, level_wh, value_n, found, worths)
        return found, worths

    return by_numbers


def in_rows(*columns: IntArray) -> tuple[IntArray, ...]:
    """Columns in one layout, for which there is one translation."""
    return tuple(map(np.ascontiguousarray, columns))


def go_back(
    has: Traits,
    levels: int,
    net_load_wh: Numbers,
    beside_wh: Numbers,
    by_slot: tuple[Numbers, ...],
    whole: tuple[Numbers, ...],
    prices: tuple[Numbers, ...],
    level_wh: Numbers,
    value_n: Numbers,
    found: Numbers,
    worths: Numbers,
) -> None:
    """Fill in rules and worths as `Plans` has them; net_load_wh, beside_wh: (devices, slots, samples).

    by_slot, whole, prices: columns in the order of `DeviceSlot`. level_wh, value_n: (devices, levels + 1); value_n is
    changed.
    """
    draw, give, least, most, drain = by_slot
    gain, efficiency, keep, fill, give_to, limit = whole
    need, spare, room = prices
    before, worth = np.empty(levels + 1, np.int64), np.empty(levels, np.int64)
    for d in range(len(level_wh)):
        steps, value = level_wh[d], value_n[d]
        for t in range(len(need) - 1, -1, -1):
            device = DeviceSlot(
                draw[t, d], give[t, d], least[t, d], most[t, d], drain[t, d],
                gain[d], efficiency[d], keep[d], fill[d], give_to[d], limit[d], need[t, d], spare[t, d],
                room[t, d],
            )  # fmt: skip
            row, inner = rule(has, device, levels, steps, value, worth)
            if t < len(found):
                found[t, 0, d], found[t, 1, d], found[t, 2, d], found[t, 3, d] = row
                worths[t, :, d] = worth
            if t:
                for k in range(levels + 1):
                    before[k] = cost_to_go(
                        row, inner, has, levels, device, steps, value, k, net_load_wh[d, t], beside_wh[d, t]
                    )
                value[:] = before


def rule(
    has: Traits, device: DeviceSlot, levels: int, steps: Numbers, value: Numbers, worth: Numbers
) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int]]:
    """The four levels of one device's rule [Wh], in the order of `DeviceRules`; fills in what a held Wh is worth.

    With them those between the two kinks of a street: how far to fill and to give where others lack, and where not.
    """
    falling = NO_STEP
    for k in range(levels):
        falling = min(falling, step_worth(value[k], value[k + 1], steps[k + 1] - steps[k]))
        worth[k] = falling
    grid, serve = levels_at(device, levels, steps, worth, device.need)
    surplus, export = levels_at(device, levels, steps, worth, device.spare)
    grid, export = min(grid, device.grid_fill_wh), max(export, device.grid_give_wh)
    outer = grid, surplus, max(serve, grid), max(export, surplus)
    return outer, among(device, levels, steps, worth) if has.street else outer


def among(device: DeviceSlot, levels: int, steps: Numbers, worth: Numbers) -> tuple[int, int, int, int]:
    """How far to fill and to give at the price between the kinks: where others lack energy, and where they have it."""
    fill, give = levels_at(device, levels, steps, worth, device.spare + device.room)
    fill_long, give_long = levels_at(device, levels, steps, worth, device.need - device.room)
    give, fill_long = max(give, device.grid_give_wh), min(fill_long, device.grid_fill_wh)
    return fill, max(give, fill), fill_long, max(give_long, fill_long)


def levels_at(device: DeviceSlot, levels: int, steps: Numbers, worth: Numbers, price: int) -> tuple[int, int]:
    """How far to fill up with energy at a price, and how far down to give for it."""
    fill, give = 0, 0
    for k in range(levels):
        bounded = min(worth[k], LARGEST_WORTH)
        fill += bounded * device.gain_ppm > price * PPM
        give += bounded * PPM >= price * device.efficiency_ppm
    return max(steps[fill], device.least_wh), max(steps[give], device.least_wh)


def cost_to_go(
    row: tuple[int, int, int, int],
    inner: tuple[int, int, int, int],
    has: Traits,
    levels: int,
    device: DeviceSlot,
    steps: Numbers,
    value: Numbers,
    start: int,
    net_load_wh: Numbers,
    beside_wh: Numbers,
) -> int:
    """Mean over the samples of what one slot and all later ones cost from a level [n¤]."""
    left = left_wh(steps[start], device.keep_ppm, device.drain_wh)
    most, gain, efficiency = device.most_wh, device.gain_ppm, device.efficiency_ppm
    wh = reach(row, has, left, most, device.draw_wh, device.give_wh, gain, efficiency)
    total = 0
    for s in range(len(net_load_wh)):
        load, beside = net_load_wh[s], beside_wh[s]
        if has.street:
            fill, down = (inner[0], inner[1]) if beside > 0 else (inner[2], inner[3])
            above, below = (row[0], fill, row[2], row[3]), (row[0], row[1], down, row[3])
            high = reach(above, has, left, most, device.draw_wh, device.give_wh, gain, efficiency)
            low = reach(below, has, left, most, device.draw_wh, device.give_wh, gain, efficiency)
            draw, give = street_act(high, low, load, device.most_import_wh, beside)
        else:
            draw, give = act(wh, has, load, device.most_import_wh)
        after = filled_wh(has, left, most, draw, gain)
        if give:
            after -= drawn_wh(give, efficiency)
        grid_wh = load + draw - give
        total += slot_cost(has, grid_wh, after, device.need, device.spare, device.most_import_wh, device.least_wh)
        if has.street:
            total -= device.room * met_wh(grid_wh, beside)
        held = max(after, 0) if has.needs else after
        k = level_below(held, steps[levels], levels)
        total += between(value[k], steps[k], value[k + 1], steps[k + 1], held)
    return total // len(net_load_wh)
