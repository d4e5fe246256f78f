"""Devices that hold energy: a battery, an electric vehicle, a boiler, a heat pump; one plan for all of them.

    V_t(q) = mean over the samples of [ cost of the slot's grid energy under the best action + V_{t+1}(q') ]
    q' = q x keep − drain + gain x drawn − given / efficiency

What differs are columns: an electric vehicle can draw between arrival and departure and must hold at departure what its
trip needs; a boiler or a heated house gains a multiple of what it draws (its coefficient of performance), loses a part
of what it holds, is drained by use, and must stay in its comfort band. V is convex in the held energy q, because buying
is never cheaper than selling, so the best action is a rule of four levels as in `trading.devices.plan`, whose
formulas are used here. Missing a least level, or a Wh above the limit of the connection, costs `MISSED_PRICE`, more
than any price.

Source of the method: stochastic dynamic programming with a piecewise linear value function (any textbook).
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from transactive.core.community.members import deliverable_wh, drawn_wh
from transactive.core.units import PPM, BoolArray, IntArray
from transactive.trading.devices.plan import between, grid_cost, step_worth

MISSED_PRICE = 10_000_000
"""What a plan takes a Wh below the least level, or above the connection's limit, to cost [µ¤/kWh]."""
LARGEST_WORTH = 1 << 40
"""Worth of a held Wh beyond which nothing changes [µ¤/kWh]; times a gain of up to eight it stays within int64."""


@dataclass(frozen=True, slots=True, eq=False)
class Stores:
    """Devices as columns, (slots, devices), the last three (devices,).

    draw_wh, give_wh: most that each draws or gives at the meter in a slot. least_wh, most_wh: what it has to hold, and
    can hold, at the end of a slot. drain_wh: what is taken out of it in a slot. gain_ppm: held Wh for a million drawn;
    efficiency_ppm: given Wh for a million held; keep_ppm: of a million held Wh, what is there a slot later.
    """

    draw_wh: IntArray
    give_wh: IntArray
    least_wh: IntArray
    most_wh: IntArray
    drain_wh: IntArray
    gain_ppm: IntArray
    efficiency_ppm: IntArray
    keep_ppm: IntArray

    def part(self, devices: slice) -> Stores:
        """Some of the devices."""
        return Stores(*(getattr(self, field.name)[..., devices] for field in fields(self)))


@dataclass(frozen=True, slots=True, eq=False)
class PlanHorizon:
    """What plans look at, a column a device; the first slot is the one that begins.

    net_load_wh: of the home without the device, (slots, samples, devices). need_price: what a Wh costs that the home
    takes [µ¤/kWh], (slots, devices); spare_price: what one brings that it gives, nowhere above need_price. rest_price:
    what a Wh given after the last slot will save [µ¤/kWh], (devices,). most_import_wh: what the connection lets in in a
    slot, (devices,).
    """

    net_load_wh: IntArray
    need_price: IntArray
    spare_price: IntArray
    rest_price: IntArray
    most_import_wh: IntArray

    def part(self, devices: slice) -> PlanHorizon:
        """What some of the devices look at."""
        return PlanHorizon(*(getattr(self, field.name)[..., devices] for field in fields(self)))


def step(
    rule: IntArray, stores: Stores, t: int, held_wh: IntArray, net_load_wh: IntArray, most_import_wh: IntArray
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Follow a rule through slot t: drawn, given, held after it and missed below the least level [Wh].

    rule: levels (4, devices): how far to fill up from the grid and from surplus, how far down to serve the home and the
    grid. Shapes broadcast with (devices,). A device never draws the home above the connection's limit; where the home
    itself is above it, a device gives what is missing as far as it can. What is drained beyond what is held, is missed.
    """
    grid_to, surplus_to, serve_to, export_to = rule
    left = (held_wh * stores.keep_ppm + PPM // 2) // PPM - stores.drain_wh[t]
    most_wh = np.maximum(stores.most_wh[t], left)
    free_wh = most_import_wh - net_load_wh

    def filling(level: IntArray) -> IntArray:
        wanted: IntArray = -(-np.maximum(level - left, 0) * PPM // stores.gain_ppm)
        return wanted

    def giving(level: IntArray) -> IntArray:
        able: IntArray = deliverable_wh(np.maximum(left - level, 0), stores.efficiency_ppm)
        return able

    draw = np.maximum(np.minimum(np.maximum(-net_load_wh, 0), filling(surplus_to)), filling(grid_to))
    draw = np.minimum(np.minimum(draw, filling(most_wh)), np.minimum(stores.draw_wh[t], np.maximum(free_wh, 0)))
    give = np.maximum(np.minimum(np.maximum(net_load_wh, 0), giving(serve_to)), giving(export_to))
    give = np.maximum(give, np.minimum(np.maximum(-free_wh, 0), giving(np.zeros_like(left))))
    give = np.minimum(give, stores.give_wh[t])
    filled = np.minimum(left + draw * stores.gain_ppm // PPM, most_wh)  # the last Wh drawn may be more than fits
    after = filled - drawn_wh(give, stores.efficiency_ppm)
    return draw, give, np.maximum(after, 0), np.maximum(stores.least_wh[t] - after, 0)


def rules(stores: Stores, ahead: PlanHorizon, levels: int, upto: int | None = None) -> tuple[IntArray, IntArray]:
    """Rules of the first `upto` slots, (slots, 4, devices) [Wh], and what a held Wh is worth after each [µ¤/kWh].

    The worth, (slots, levels, devices), is that of each step of a value function with so many steps. Devices are
    independent, so a caller that has many of them plans them in blocks that fit the cache.
    """
    slots, devices = ahead.need_price.shape
    upto = slots if upto is None else upto
    level_wh = stores.most_wh.max(axis=0) * np.arange(levels + 1)[:, None] // levels  # (levels, devices)
    value_n = -ahead.rest_price * deliverable_wh(level_wh, stores.efficiency_ppm)
    found, worths = np.empty((upto, 4, devices), np.int64), np.empty((upto, levels, devices), np.int64)
    for t in range(slots - 1, -1, -1):
        worth = np.minimum.accumulate(step_worth(value_n[:-1], value_n[1:], np.diff(level_wh, axis=0)), axis=0)
        rule = _rule(stores, ahead, t, level_wh, np.minimum(worth, LARGEST_WORTH))
        if t < upto:
            found[t], worths[t] = rule, worth
        if t:
            value_n = _step_back(stores, ahead, t, level_wh, value_n, rule)
    return found, worths


def _rule(stores: Stores, ahead: PlanHorizon, t: int, level_wh: IntArray, worth: IntArray) -> IntArray:
    """Levels up to which a held Wh is worth more than each of the four prices that it can be had or sold for."""
    own = np.arange(level_wh.shape[1])

    def up_to(worthwhile: BoolArray) -> IntArray:
        levels: IntArray = np.maximum(level_wh[worthwhile.sum(axis=0), own], stores.least_wh[t])
        return levels

    need, spare = ahead.need_price[t], ahead.spare_price[t]
    grid, surplus = (up_to(worth * stores.gain_ppm > price * PPM) for price in (need, spare))
    serve, export = (up_to(worth * PPM >= price * stores.efficiency_ppm) for price in (need, spare))
    return np.stack((grid, surplus, np.maximum(serve, grid), np.maximum(export, surplus)))


def _step_back(
    stores: Stores, ahead: PlanHorizon, t: int, level_wh: IntArray, value_n: IntArray, rule: IntArray
) -> IntArray:
    """Cost to go before slot t [n¤], (levels, devices): mean over the samples."""
    net_load_wh, limit_wh = ahead.net_load_wh[t][None], ahead.most_import_wh
    draw, give, after, missed = step(rule, stores, t, level_wh[:, None], net_load_wh, limit_wh)
    grid_wh = net_load_wh + draw - give
    cost = grid_cost(grid_wh, ahead.need_price[t], ahead.spare_price[t])
    cost += MISSED_PRICE * (np.maximum(grid_wh - limit_wh, 0) + missed)
    levels, devices = len(level_wh) - 1, level_wh.shape[1]
    below = np.minimum(after * levels // np.maximum(level_wh[-1], 1), levels - 1) * devices + np.arange(devices)
    low, high = ((value_n.take(place), level_wh.take(place)) for place in (below, below + devices))
    total = (cost + between(*low, *high, after)).sum(axis=1)
    mean: IntArray = total // net_load_wh.shape[1]
    return mean
