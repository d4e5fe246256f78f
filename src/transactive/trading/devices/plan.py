"""The plan of devices that hold energy: a dynamic programme over levels that says what a held Wh is worth in each slot.

    V_t(q) = mean over the samples of [ cost of the slot's grid energy under the best action + V_{t+1}(q') ]
    q' = what is held after it: see `trading.devices.stores`

V is convex in the held energy q because buying is never cheaper than selling, so the best action is a rule of four
levels (`DeviceRules`): draw as long as a held Wh is worth more than it costs, give as long as it is worth less than it
brings. The plan therefore never looks for an action; it only counts how many levels are worth more than a price.
Missing a least level, or a Wh above the limit of the connection, costs `MISSED_PRICE`, more than any price. Everything
is integer arithmetic, so two machines plan alike.

No device's plan depends on another's, so devices are planned in groups that fit the cache, one after the other or as
the caller spreads them over threads. A group goes back through the slots column by column (`by_columns`) or number by
number (`trading.devices.compiled`); the formulas below serve both.

Source of the method: stochastic dynamic programming with a piecewise linear value function (any textbook).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from msgspec.structs import replace as replace_fields

from transactive.core.community.members import Devices, deliverable_wh
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.units import PPM, IntArray, Whole
from transactive.core.work import Spread
from transactive.trading.devices.follow import Traits, act, held_after, reach
from transactive.trading.devices.stores import NO_LIMIT_WH, PlanHorizon, Stores, batteries, left_wh
from transactive.trading.devices.street import met_wh, street_act

LEVELS = 16
"""Steps of held energy in the value function; with twice as many the demo's weeks saved no more."""
EVERY = 4
"""The plan weighs every fourth of the forecast's daily samples: of 28 days seven, each another day of the week."""
NO_STEP = (1 << 62) // PPM
"""Worth of a step without a Wh in it, as batteries of less than `LEVELS` Wh have: it bounds nothing [µ¤/kWh]."""
MISSED_PRICE = 10_000_000
"""What a plan takes a Wh below the least level, or above the connection's limit, to cost [µ¤/kWh]."""
LARGEST_WORTH = 1 << 40
"""Worth of a held Wh beyond which nothing changes [µ¤/kWh]; times a gain of up to eight it stays within int64."""
GROUP = 32_768
"""Numbers in a column of devices that are planned together: eight of them fit the cache."""

Plans: TypeAlias = tuple[IntArray, IntArray]
"""Rules, (slots, 4, devices) [Wh], and what a held Wh is worth after each slot, (slots, levels, devices) [µ¤/kWh]."""
Backward: TypeAlias = Callable[[Stores, PlanHorizon, int, int], Plans]
"""Goes back through the slots of a group, with so many levels, and keeps so many slots: `by_columns` or compiled."""


def plan(
    forecast: Forecast,
    devices: Devices,
    need_price: IntArray,
    spare_price: IntArray,
    rest_price: int,
    *,
    spread: Spread = map,
    backward: Backward | None = None,
    worth: IntArray | None = None,
) -> list[DeviceRules]:
    """Rules of batteries for every slot of the forecast.

    need_price: what a Wh costs that the home takes [µ¤/kWh], (slots,); spare_price: what a Wh brings that it gives,
    nowhere above need_price. rest_price: what a Wh delivered after the last slot will save [µ¤/kWh]. Members without a
    battery get a rule that does nothing. What an owner keeps is filled first, and no rule takes it. spread: how the
    groups of members are worked through. backward: how each is. worth: filled with what one more held Wh of each step
    is worth after each of the first slots [µ¤/kWh], (first slots, LEVELS, members); steps begin above the reserve.
    """
    slots, having = len(forecast.slots), np.flatnonzero(devices.capacity_wh)
    shape = slots, len(having)
    ahead = PlanHorizon(
        forecast.net_load_wh[:, ::EVERY, having],
        np.broadcast_to(need_price[:, None], shape),
        np.broadcast_to(spare_price[:, None], shape),
        np.full(len(having), rest_price),
        np.full(len(having), NO_LIMIT_WH),
    )
    levels, own = np.zeros((slots, 4, len(devices.capacity_wh)), np.int64), devices.rows(having)
    steps = None if worth is None else np.zeros((len(worth), LEVELS, len(having)), np.int64)
    if own.reserve_wh is None:
        levels[:, :, having] = rules(batteries(own, slots), ahead, spread=spread, backward=backward, worth=steps)
    else:  # a battery with a reserve is a smaller one, on top of it
        above = replace_fields(own, capacity_wh=np.maximum(own.capacity_wh - own.reserve_wh, 0))
        found = rules(batteries(above, slots), ahead, spread=spread, backward=backward, worth=steps)
        levels[:, :, having] = found + np.minimum(own.reserve_wh, own.capacity_wh)
        if own.own_only is not None:
            levels[:, 0, having[own.own_only]] = 0
    if worth is not None and steps is not None:
        worth[:, :, having] = steps
    return [DeviceRules(slot, *rows) for slot, rows in zip(forecast.slots.tolist(), levels, strict=True)]


def groups(devices: Devices, size: int) -> list[IntArray]:
    """Members with a battery, so many at a time."""
    having = np.flatnonzero(devices.capacity_wh)
    return [having[start : start + size] for start in range(0, len(having), size)]


def rules(
    stores: Stores,
    ahead: PlanHorizon,
    levels: int = LEVELS,
    upto: int | None = None,
    *,
    spread: Spread = map,
    backward: Backward | None = None,
    worth: IntArray | None = None,
) -> IntArray:
    """Rules of the first `upto` slots [Wh], (slots, 4, devices).

    levels: steps of the value function. spread: how groups of devices are worked through. backward: how each is.
    worth: filled with what a held Wh of each step is worth after each of its slots, (its slots, levels, devices).
    """
    slots, _, devices = ahead.net_load_wh.shape
    found = np.empty((slots if upto is None else upto, 4, devices), np.int64)
    parts = groups_of(ahead, levels)

    def of_group(devices: slice) -> IntArray:
        way = backward or by_columns
        rule, steps = way(stores.part(devices), ahead.part(devices), levels, len(found))
        if worth is not None:
            worth[:, :, devices] = np.minimum(steps[: len(worth)], LARGEST_WORTH)
        return rule

    for part, rule in zip(parts, spread(of_group, parts), strict=True):
        found[:, :, part] = rule
    return found


def groups_of(ahead: PlanHorizon, levels: int) -> list[slice]:
    """Devices that are planned together, so many at a time."""
    _, samples, devices = ahead.net_load_wh.shape
    size = max(GROUP // (samples * (levels + 1)), 1)
    return [slice(start, min(start + size, devices)) for start in range(0, devices, size)]


def by_columns(stores: Stores, ahead: PlanHorizon, levels: int, upto: int) -> Plans:
    """Plans of a group, from the last slot back to the first, a column of numbers at a time."""
    slots, devices = ahead.need_price.shape
    ahead = replace(ahead, net_load_wh=np.ascontiguousarray(ahead.net_load_wh))
    has = traits(stores, ahead)
    level_wh, value_n = last_values(stores, ahead, levels)
    found, worths = np.empty((upto, 4, devices), np.int64), np.empty((upto, levels, devices), np.int64)
    for t in range(slots - 1, -1, -1):
        worth = np.minimum.accumulate(step_worth(value_n[:-1], value_n[1:], np.diff(level_wh, axis=0)), axis=0)
        bounded = np.minimum(worth, LARGEST_WORTH)
        rule = _rule(stores, ahead, t, level_wh, bounded)
        if t < upto:
            found[t], worths[t] = rule, worth
        if t:
            value_n = _step_back(stores, ahead, has, t, level_wh, value_n, rule, bounded)
    return found, worths


def traits(stores: Stores, ahead: PlanHorizon) -> Traits:
    """What some device of a group has."""
    room = ahead.most_import_wh - stores.draw_wh.max(axis=0)  # least of all slots
    return Traits(
        gives=bool(stores.give_wh.any()),
        gains=bool((stores.gain_ppm != PPM).any()),
        needs=bool(stores.drain_wh.any() or stores.least_wh.any()),
        limited=bool((ahead.net_load_wh.max(axis=(0, 1)) > room).any()),
        street=ahead.beside_wh is not None,
    )


def last_values(stores: Stores, ahead: PlanHorizon, levels: int) -> tuple[IntArray, IntArray]:
    """Levels [Wh], and the cost to go from each after the last slot [n¤], both (levels + 1, devices)."""
    level_wh = stores.most_wh.max(axis=0) * np.arange(levels + 1)[:, None] // levels
    return level_wh, -ahead.rest_price * deliverable_wh(level_wh, stores.efficiency_ppm)


def _rule(stores: Stores, ahead: PlanHorizon, t: int, level_wh: IntArray, worth: IntArray) -> IntArray:
    """Levels up to which a held Wh is worth more than each of the four prices that it can be had or sold for.

    At a negative price a loss pays, and wasting energy by a cycle would; a battery rests between two such levels.
    """
    grid, serve = _levels(stores, t, level_wh, worth, ahead.need_price[t])
    surplus, export = _levels(stores, t, level_wh, worth, ahead.spare_price[t])
    grid, export = np.minimum(grid, stores.grid_fill_wh), np.maximum(export, stores.grid_give_wh)
    return np.stack((grid, surplus, np.maximum(serve, grid), np.maximum(export, surplus)))


def _levels(stores: Stores, t: int, level_wh: IntArray, worth: IntArray, price: IntArray) -> tuple[IntArray, IntArray]:
    """How far to fill up with energy at a price, and how far down to give for it."""
    own = np.arange(level_wh.shape[1])
    worthwhile = worth * stores.gain_ppm > price * PPM, worth * PPM >= price * stores.efficiency_ppm
    fill, give = (np.maximum(level_wh[each.sum(axis=0), own], stores.least_wh[t]) for each in worthwhile)
    return fill, give


def _among(
    stores: Stores, ahead: PlanHorizon, t: int, level_wh: IntArray, worth: IntArray, beside_wh: IntArray
) -> tuple[IntArray, IntArray]:
    """How far to fill and to give at the price between the two kinks, which the others' net load decides."""
    room = ahead.room[t] if ahead.room is not None else 0 * ahead.need_price[t]
    fill_short, give_short = _levels(stores, t, level_wh, worth, ahead.spare_price[t] + room)
    fill_long, give_long = _levels(stores, t, level_wh, worth, ahead.need_price[t] - room)
    short, fill_long = beside_wh > 0, np.minimum(fill_long, stores.grid_fill_wh)
    fill = np.where(short, fill_short, fill_long)
    give = np.where(short, np.maximum(give_short, stores.grid_give_wh), give_long)
    return fill, np.maximum(give, fill)


def _step_back(
    stores: Stores,
    ahead: PlanHorizon,
    has: Traits,
    t: int,
    level_wh: IntArray,
    value_n: IntArray,
    rule: IntArray,
    worth: IntArray,
) -> IntArray:
    """Cost to go before slot t [n¤], (levels, devices): mean over the samples."""
    net_load_wh, limit_wh = ahead.net_load_wh[t][None], ahead.most_import_wh
    left = left_wh(level_wh, stores.keep_ppm, stores.drain_wh[t])[:, None]
    most, gain, efficiency = stores.most_wh[t], stores.gain_ppm, stores.efficiency_ppm
    device = left, most, stores.draw_wh[t], stores.give_wh[t], gain, efficiency
    grid, surplus, serve, export = rule
    if ahead.beside_wh is None:
        beside: IntArray | int = 0
        draw, give = act(reach((grid, surplus, serve, export), has, *device), has, net_load_wh, limit_wh)
    else:
        beside = others = ahead.beside_wh[t][None]
        fill, down = _among(stores, ahead, t, level_wh, worth, others)
        high, low = (reach((grid, a, b, export), has, *device) for a, b in ((fill, serve), (surplus, down)))
        draw, give = street_act(high, low, net_load_wh, limit_wh, beside)
    after = held_after(has, left, most, draw, give, gain, efficiency)
    grid_wh, need, spare = net_load_wh + draw - give, ahead.need_price[t], ahead.spare_price[t]
    cost = slot_cost(has, grid_wh, after, need, spare, limit_wh, stores.least_wh[t])
    if ahead.room is not None:
        cost = cost - ahead.room[t] * met_wh(grid_wh, beside)
    held = np.maximum(after, 0) if has.needs else after
    levels, devices = len(level_wh) - 1, level_wh.shape[1]
    below = level_below(held, level_wh[-1], levels) * devices + np.arange(devices)
    low_end, high_end = ((value_n.take(place), level_wh.take(place)) for place in (below, below + devices))
    total = (cost + between(*low_end, *high_end, held)).sum(axis=1)
    mean: IntArray = total // net_load_wh.shape[1]
    return mean


# -- formulas, of columns or of single numbers ------------------------------------------------------------------


def step_worth(low_n: Whole, high_n: Whole, width_wh: Whole) -> Whole:
    """What a held Wh of a step is worth [µ¤/kWh], from the cost to go [n¤] at its two ends."""
    return (low_n - high_n) // np.maximum(width_wh, 1) + NO_STEP * (width_wh == 0)


def grid_cost(grid_wh: Whole, need: Whole, spare: Whole) -> Whole:
    """Cost of what the home takes from the grid, or what it gives brings [n¤]."""
    return np.maximum(grid_wh, 0) * need + np.minimum(grid_wh, 0) * spare


def slot_cost(
    has: Traits, grid_wh: Whole, after_wh: Whole, need: Whole, spare: Whole, most_import_wh: Whole, least_wh: Whole
) -> Whole:
    """Cost of a slot [n¤]: its grid energy, and whatever is above the limit of the connection or below the least."""
    cost = grid_cost(grid_wh, need, spare)
    if has.limited:
        cost = cost + MISSED_PRICE * np.maximum(grid_wh - most_import_wh, 0)
    if has.needs:
        cost = cost + MISSED_PRICE * np.maximum(least_wh - after_wh, 0)
    return cost


def level_below(held_wh: Whole, most_wh: Whole, levels: int) -> Whole:
    """Number of the level at the lower end of the step that a held amount lies in."""
    return np.minimum(held_wh * levels // np.maximum(most_wh, 1), levels - 1)


def between(low_n: Whole, low_wh: Whole, high_n: Whole, high_wh: Whole, held_wh: Whole) -> Whole:
    """Cost to go [n¤] at a held amount, linear between the two ends of its step."""
    return low_n + (high_n - low_n) * (held_wh - low_wh) // np.maximum(high_wh - low_wh, 1)
