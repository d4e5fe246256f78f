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

Kernel: TypeAlias = Callable[..., None]
Formula: TypeAlias = Callable[..., Any]
Numbers: TypeAlias = Any
"""Row of an array, or the array: read and written by index."""


class DeviceSlot(NamedTuple):
    """One device in one slot: see `Stores`; most_import_wh of its home, need and spare: prices [µ¤/kWh]."""

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


@cache
def backward() -> Backward:
    """Translate the loop; the result is what `plan` takes. Raises MissingExtra without numba."""
    with named_extras("planning in machine code"):
        numba, extending = import_module("numba"), import_module("numba.extending")
    actions: tuple[Formula, ...] = (deliverable_wh, drawn_wh, filling_wh, left_wh, reach)
    for formula in (*actions, step_worth, grid_cost, level_below, between, rule):
        extending.register_jitable(formula)
    branching: tuple[Formula, ...] = (act, filled_wh, slot_cost, cost_to_go, go_back)
    for formula in branching:  # inlined, the constants let branches fall away
        extending.register_jitable(inline="always")(formula)

    def kernel(has: Traits) -> Kernel:
        """The loop for a kind of group, which is a constant of the translation; translated at its first call."""

        def of_kind(
            levels: int,
            loads: Numbers,
            by_slot: tuple[Numbers, ...],
            whole: tuple[Numbers, ...],
            prices: tuple[Numbers, Numbers],
            level_wh: Numbers,
            value_n: Numbers,
            found: Numbers,
            worths: Numbers,
        ) -> None:
            go_back(has, levels, loads, by_slot, whole, prices, level_wh, value_n, found, worths)

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
        prices = in_rows(ahead.need_price, ahead.spare_price)
        kernels[traits(stores, ahead)](levels, loads, slots, whole, prices, level_wh, value_n, found, worths)
        return found, worths

    return by_numbers


def in_rows(*columns: IntArray) -> tuple[IntArray, ...]:
    """Columns in one layout, for which there is one translation."""
    return tuple(map(np.ascontiguousarray, columns))


def go_back(
    has: Traits,
    levels: int,
    net_load_wh: Numbers,
    by_slot: tuple[Numbers, ...],
    whole: tuple[Numbers, ...],
    prices: tuple[Numbers, Numbers],
    level_wh: Numbers,
    value_n: Numbers,
    found: Numbers,
    worths: Numbers,
) -> None:
    """Fill in rules and worths as `Plans` has them; net_load_wh: (devices, slots, samples).

    by_slot, whole, prices: columns in the order of `DeviceSlot`. level_wh, value_n: (devices, levels + 1); value_n is
    changed.
    """
    draw, give, least, most, drain = by_slot
    gain, efficiency, keep, fill, give_to, limit = whole
    need, spare = prices
    before, worth = np.empty(levels + 1, np.int64), np.empty(levels, np.int64)
    for d in range(len(level_wh)):
        steps, value = level_wh[d], value_n[d]
        for t in range(len(need) - 1, -1, -1):
            device = DeviceSlot(
                draw[t, d], give[t, d], least[t, d], most[t, d], drain[t, d],
                gain[d], efficiency[d], keep[d], fill[d], give_to[d], limit[d], need[t, d], spare[t, d],
            )  # fmt: skip
            row = rule(device, levels, steps, value, worth)
            if t < len(found):
                found[t, 0, d], found[t, 1, d], found[t, 2, d], found[t, 3, d] = row
                worths[t, :, d] = worth
            if t:
                for k in range(levels + 1):
                    before[k] = cost_to_go(row, has, levels, device, steps, value, k, net_load_wh[d, t])
                value[:] = before


def rule(device: DeviceSlot, levels: int, steps: Numbers, value: Numbers, worth: Numbers) -> tuple[int, int, int, int]:
    """The four levels of one device's rule [Wh], in the order of `DeviceRules`; fills in what a held Wh is worth."""
    falling = NO_STEP
    from_grid, from_surplus, to_serve, to_export = 0, 0, 0, 0
    for k in range(levels):
        falling = min(falling, step_worth(value[k], value[k + 1], steps[k + 1] - steps[k]))
        worth[k] = falling
        bounded = min(falling, LARGEST_WORTH)
        from_grid += bounded * device.gain_ppm > device.need * PPM
        from_surplus += bounded * device.gain_ppm > device.spare * PPM
        to_serve += bounded * PPM >= device.need * device.efficiency_ppm
        to_export += bounded * PPM >= device.spare * device.efficiency_ppm
    grid, surplus = max(steps[from_grid], device.least_wh), max(steps[from_surplus], device.least_wh)
    serve, export = max(steps[to_serve], device.least_wh), max(steps[to_export], device.least_wh)
    grid, export = min(grid, device.grid_fill_wh), max(export, device.grid_give_wh)
    return grid, surplus, max(serve, grid), max(export, surplus)


def cost_to_go(
    row: tuple[int, int, int, int],
    has: Traits,
    levels: int,
    device: DeviceSlot,
    steps: Numbers,
    value: Numbers,
    start: int,
    net_load_wh: Numbers,
) -> int:
    """Mean over the samples of what one slot and all later ones cost from a level [n¤]."""
    left = left_wh(steps[start], device.keep_ppm, device.drain_wh)
    most, gain, efficiency = device.most_wh, device.gain_ppm, device.efficiency_ppm
    wh = reach(row, has, left, most, device.draw_wh, device.give_wh, gain, efficiency)
    total = 0
    for load in net_load_wh:
        draw, give = act(wh, has, load, device.most_import_wh)
        after = filled_wh(has, left, most, draw, gain)
        if give:
            after -= drawn_wh(give, efficiency)
        total += slot_cost(
            has, load + draw - give, after, device.need, device.spare, device.most_import_wh, device.least_wh
        )
        held = max(after, 0) if has.needs else after
        k = level_below(held, steps[levels], levels)
        total += between(value[k], steps[k], value[k + 1], steps[k + 1], held)
    return total // len(net_load_wh)
