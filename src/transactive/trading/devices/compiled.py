"""The battery plan number by number, translated to machine code by numba: for long runs and large communities.

The loop is the plan's, member by member, with its own formulas; only the order of the work differs from
`plan.by_columns`, so the rules are the same to the Wh. Translation takes a second or two, once a process.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, TypeAlias

import numpy as np

from transactive.core.community.members import Devices, deliverable_wh, drawn_wh
from transactive.core.installed import named_extras
from transactive.core.units import PPM, IntArray
from transactive.trading.devices.follow import act
from transactive.trading.devices.plan import LEVELS, NO_STEP, Backward, between, grid_cost, level_below, step_worth

Kernel: TypeAlias = Callable[..., None]
Numbers: TypeAlias = Any
"""Row of an array, or the array: read and written by index."""


@cache
def backward() -> Backward:
    """Translate the loop; the result is what `plan` takes. Raises MissingExtra without numba."""
    with named_extras("planning in machine code"):
        numba, extending = import_module("numba"), import_module("numba.extending")
    for formula in (deliverable_wh, drawn_wh, act, step_worth, grid_cost, level_below, between, rule, cost_to_go):
        extending.register_jitable(formula)
    kernel: Kernel = numba.njit(go_back, nogil=True, error_model="numpy")

    def by_numbers(
        net_load_wh: IntArray,
        devices: Devices,
        level_wh: IntArray,
        value_n: IntArray,
        need_price: IntArray,
        spare_price: IntArray,
    ) -> IntArray:
        """As `plan.by_columns`."""
        levels = np.empty((len(net_load_wh), 4, len(level_wh)), np.int64)
        loads = np.ascontiguousarray(net_load_wh.transpose(2, 0, 1))
        columns = (devices.power_wh, devices.efficiency_ppm, devices.capacity_wh)
        kernel(loads, *columns, level_wh, np.ascontiguousarray(value_n), need_price, spare_price, levels)
        return levels

    return by_numbers


def go_back(
    net_load_wh: Numbers,
    power_wh: Numbers,
    efficiency_ppm: Numbers,
    capacity_wh: Numbers,
    level_wh: Numbers,
    value_n: Numbers,
    need_price: Numbers,
    spare_price: Numbers,
    levels: Numbers,
) -> None:
    """Fill in the levels of all rules, (slots, 4, members); net_load_wh: (members, slots, samples).

    value_n is worked on; at the end it holds the cost to go before the first slot.
    """
    before = np.empty(LEVELS + 1, np.int64)
    for member in range(len(level_wh)):
        steps, value = level_wh[member], value_n[member]
        device = power_wh[member], efficiency_ppm[member], capacity_wh[member]
        for t in range(len(need_price) - 1, -1, -1):
            need, spare = need_price[t], spare_price[t]
            found = rule(steps, value, efficiency_ppm[member], need, spare)
            for k in range(4):
                levels[t, k, member] = found[k]
            for k in range(LEVELS + 1):
                before[k] = cost_to_go(found, device, steps, value, steps[k], net_load_wh[member, t], need, spare)
            value[:] = before


def rule(steps: Numbers, value: Numbers, efficiency_ppm: int, need: int, spare: int) -> tuple[int, int, int, int]:
    """The four levels of one battery's rule [Wh], in the order of `DeviceRules`."""
    worth = NO_STEP
    grid_charge, surplus_charge, serve, export = 0, 0, 0, 0
    for k in range(LEVELS):
        worth = min(worth, step_worth(value[k], value[k + 1], steps[k + 1] - steps[k]))
        grid_charge += worth > need
        surplus_charge += worth > spare
        serve += worth * PPM >= need * efficiency_ppm
        export += worth * PPM >= spare * efficiency_ppm
    return (
        steps[grid_charge],
        steps[surplus_charge],
        max(steps[serve], steps[grid_charge]),
        max(steps[export], steps[surplus_charge]),
    )


def cost_to_go(
    found: tuple[int, int, int, int],
    device: tuple[int, int, int],
    steps: Numbers,
    value: Numbers,
    charged_wh: int,
    net_load_wh: Numbers,
    need: int,
    spare: int,
) -> int:
    """Mean over the samples of what one slot and all later ones cost from a charge [n¤]."""
    power_wh, efficiency_ppm, capacity_wh = device
    total = 0
    for load in net_load_wh:
        charge, discharge = act(*found, power_wh, efficiency_ppm, charged_wh, load)
        total += grid_cost(load + charge - discharge, need, spare)
        after = charged_wh + charge - drawn_wh(discharge, efficiency_ppm)
        k = level_below(after, capacity_wh)
        total += between(value[k], steps[k], value[k + 1], steps[k + 1], after)
    return total // len(net_load_wh)
