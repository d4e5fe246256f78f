"""Receding horizon: what a battery does now, planned anew in every slot, under a limit at the connection.

The dynamic programme is that of `trading.plan`, V_t(q) = mean over samples of [cost of the slot + V_{t+1}(q')], with
two things that a community's plan does without: prices of their own for each plan, so that the plans of many times of
issue are made at once (none depends on the charge that the others lead to), and a most that the home may draw from
the grid. A Wh above that limit costs `OVER_PRICE`, which keeps the cost convex, so that the best action is still a
rule of four levels, followed within the limit.

Source of the method: Bertsekas, Dynamic Programming and Optimal Control I, 4th edition, 6.1 (open-loop feedback and
rollout); the four levels are those of `DeviceRules`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.community import Devices
from transactive.core.tables import DeviceRules
from transactive.core.units import PPM, BoolArray, IntArray
from transactive.trading.follow import follow
from transactive.trading.plan import LEVELS, between, grid_cost, level_below, step_worth

OVER_PRICE = 10_000_000
"""What a plan takes a Wh above the limit to cost [µ¤/kWh]: more than any price, so that charge is kept for it."""
BLOCK = 512
"""Plans that are made together: their numbers fit the cache."""


@dataclass(frozen=True, slots=True, eq=False)
class Ahead:
    """What plans look at, a column a plan; the first slot is the one that a rule is wanted for.

    net_load_wh: (slots, samples, plans). need_price: what a Wh costs that the home takes [µ¤/kWh], (slots, plans);
    spare_price: what one brings that it gives, nowhere above need_price. rest_price: what a Wh delivered after the last
    slot will save [µ¤/kWh], (plans,). most_import_wh: what a home may take in a slot, (plans,).
    """

    net_load_wh: IntArray
    need_price: IntArray
    spare_price: IntArray
    rest_price: IntArray
    most_import_wh: IntArray

    def part(self, plans: slice) -> Ahead:
        """Some of the plans."""
        return Ahead(
            self.net_load_wh[:, :, plans],
            self.need_price[:, plans],
            self.spare_price[:, plans],
            self.rest_price[plans],
            self.most_import_wh[plans],
        )


def rules_now(ahead: Ahead, devices: Devices) -> IntArray:
    """Levels of the first slot's rule in the order of `DeviceRules` [Wh], (4, plans); devices: one a plan."""
    plans = len(ahead.rest_price)
    levels = np.empty((4, plans), np.int64)
    for start in range(0, plans, BLOCK):
        block = slice(start, min(start + BLOCK, plans))
        levels[:, block] = _rules_now(ahead.part(block), devices.rows(np.arange(block.start, block.stop)))
    return levels


def follow_within(
    rules: DeviceRules, devices: Devices, charged_wh: IntArray, net_load_wh: IntArray, most_import_wh: IntArray
) -> tuple[IntArray, IntArray, IntArray]:
    """Charge, discharge and the new charge level [Wh], as `follow`, never drawing more than the limit to charge.

    Where the home itself needs more than the limit, the battery gives what is missing as far as it can.
    """
    charge, discharge, _ = follow(rules, devices, charged_wh, net_load_wh)
    free_wh = most_import_wh - net_load_wh
    charge = np.minimum(charge, np.maximum(free_wh, 0))
    helped = np.minimum(np.minimum(np.maximum(-free_wh, 0), devices.power_wh), devices.deliverable_wh(charged_wh))
    discharge = np.maximum(discharge, helped)
    return charge, discharge, charged_wh + charge - devices.drawn_wh(discharge)


def _rules_now(ahead: Ahead, devices: Devices) -> IntArray:
    """The rules of a block, from the last slot back to the first."""
    level_wh = devices.capacity_wh * np.arange(LEVELS + 1)[:, None] // LEVELS  # (levels, plans)
    value_n = -ahead.rest_price * devices.deliverable_wh(level_wh)
    for t in range(len(ahead.need_price) - 1, 0, -1):
        value_n = _step_back(ahead, devices, t, level_wh, value_n)
    return _rule(ahead, devices, 0, level_wh, value_n)


def _rule(ahead: Ahead, devices: Devices, t: int, level_wh: IntArray, value_n: IntArray) -> IntArray:
    """Levels up to which a charged Wh is worth more than each of the four prices that it can be had or sold for."""
    steps = step_worth(value_n[:-1], value_n[1:], np.diff(level_wh, axis=0))
    worth = np.minimum.accumulate(steps, axis=0)  # µ¤/kWh, falling
    own = np.arange(level_wh.shape[1])

    def up_to(worthwhile: BoolArray) -> IntArray:
        levels: IntArray = level_wh[worthwhile.sum(axis=0), own]
        return levels

    need, spare = ahead.need_price[t], ahead.spare_price[t]
    grid_charge, surplus_charge = up_to(worth > need), up_to(worth > spare)
    serve, export = (up_to(worth * PPM >= price * devices.efficiency_ppm) for price in (need, spare))
    return np.stack((grid_charge, surplus_charge, np.maximum(serve, grid_charge), np.maximum(export, surplus_charge)))


def _step_back(ahead: Ahead, devices: Devices, t: int, level_wh: IntArray, value_n: IntArray) -> IntArray:
    """Cost to go before slot t [n¤], (levels, plans): mean over the samples."""
    rule = DeviceRules(t, *_rule(ahead, devices, t, level_wh, value_n))
    net_load_wh, limit_wh = ahead.net_load_wh[t][None], ahead.most_import_wh
    charge, discharge, after = follow_within(rule, devices, level_wh[:, None], net_load_wh, limit_wh)
    grid_wh = net_load_wh + charge - discharge
    cost = grid_cost(grid_wh, ahead.need_price[t], ahead.spare_price[t])
    cost += OVER_PRICE * np.maximum(grid_wh - limit_wh, 0)
    plans = level_wh.shape[1]
    below = level_below(after, devices.capacity_wh) * plans + np.arange(plans)
    low, high = ((value_n.take(place), level_wh.take(place)) for place in (below, below + plans))
    total = (cost + between(*low, *high, after)).sum(axis=1)
    mean: IntArray = total // net_load_wh.shape[1]
    return mean
