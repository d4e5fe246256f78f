"""Plans of batteries whose homes know what the community expects: each reckons with its share of the neighbours' need.

All that a home needs to know of the others is what anybody may: the forecast of the community's sum, and what all its
batteries hold together. Where all batteries do alike, the community's net load turns at the very Wh at which a home
counts on no more of it than its battery's part of all capacity, without what owners keep:

    net load of those beside = net load of all, without batteries x own capacity / capacity of all − the home's own

So no plan waits for another, nobody tells anybody what it means to do, and all of them together do not use a surplus
twice. From the plan comes what a held Wh is worth; from that follow the orders, what the battery does at each price,
and what it does beyond what was traded. The price says who is needed, for the shares are only what to expect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from msgspec.structs import replace

from transactive.core.community.members import Devices
from transactive.core.units import PPM, BoolArray, IntArray
from transactive.core.work import Spread
from transactive.trading.devices.plan import EVERY, LARGEST_WORTH, LEVELS, Backward, by_columns, groups_of
from transactive.trading.devices.stores import NO_LIMIT_WH, PlanHorizon, Stores, batteries


@dataclass(frozen=True, slots=True, eq=False)
class HeldWorth:
    """What a Wh held after a slot is worth to batteries [µ¤/kWh], (levels, batteries), falling with the levels.

    level_wh: from empty to full, (levels + 1, batteries). added: what comes to the prices of a need and of a spare Wh
    for each [µ¤/kWh], (2, batteries). stores: the batteries above what their owners keep, kept_wh, (batteries,).
    own_only: which are never filled from the grid, (batteries,).
    """

    worth: IntArray
    level_wh: IntArray
    added: IntArray
    stores: Stores
    kept_wh: IntArray
    own_only: BoolArray

    def rules(self, need: IntArray, spare: IntArray) -> IntArray:
        """The four levels of a rule at pairs of prices [µ¤/kWh], (pairs,): (4, pairs, batteries) [Wh].

        need: what a Wh costs that a home takes; spare: what one brings that it gives. At what it is worth held, to the
        µ¤, energy is given: the price of a later slot is only expected.
        """
        prices = need[:, None] + self.added[0], np.minimum(spare, need)[:, None] + self.added[1]
        grid, surplus = (self._up_to(self.worth, price) for price in prices)
        efficiency = self.stores.efficiency_ppm
        serve, export = (self._up_to(self.worth * PPM, (price + 1) * efficiency) for price in prices)
        grid, export = np.minimum(grid, self.stores.grid_fill_wh), np.maximum(export, self.stores.grid_give_wh)
        found = np.stack((grid, surplus, np.maximum(serve, grid), np.maximum(export, surplus))) + self.kept_wh
        found[0, :, self.own_only] = 0
        return found

    def _up_to(self, worth: IntArray, price: IntArray) -> IntArray:
        """Levels up to which a held Wh is worth more than a price, (pairs, batteries)."""
        count: IntArray = np.zeros_like(price)
        for row in worth:
            count += row > price
        found: IntArray = self.level_wh[count, np.arange(count.shape[1])]
        return found

    def part(self, rows: IntArray) -> HeldWorth:
        """Those of some batteries, by their place."""
        own = (slice(None), rows)
        worth, level_wh, added = self.worth[own], self.level_wh[own], self.added[own]
        return HeldWorth(worth, level_wh, added, self.stores.part(rows), self.kept_wh[rows], self.own_only[rows])


def worths(
    community: IntArray,
    net_load_wh: IntArray,
    devices: Devices,
    prices: tuple[IntArray, IntArray],
    room: IntArray,
    upto: int,
    *,
    spread: Spread = map,
    backward: Backward | None = None,
) -> IntArray:
    """Plan batteries that know what the community expects: what a held Wh is worth, (upto, levels, batteries).

    community: samples of the sum of all members, (slots, samples, 1) [Wh]; net_load_wh: of the homes with these
    batteries, (slots, samples, batteries). prices: of a need and of a spare Wh at each home's tariff [µ¤/kWh], each
    (slots, batteries); room: what a Wh that meets neighbours saves [µ¤/kWh], (slots,). upto: slots that are told.
    """
    slots, capacity_wh = len(room), _above_kept(devices)
    stores = batteries(replace(devices, capacity_wh=capacity_wh), slots)
    load, (need, spare) = net_load_wh[:, ::EVERY], prices
    beside = community[:, ::EVERY] * capacity_wh // max(int(capacity_wh.sum()), 1) - load
    rest, limit = (np.full(len(capacity_wh), number) for number in (int(need.min(initial=LARGEST_WORTH)), NO_LIMIT_WH))
    ahead = PlanHorizon(load, need, spare, rest, limit, beside, np.minimum(room[:, None], need - spare))
    found = np.empty((upto, LEVELS, len(capacity_wh)), np.int64)
    parts = groups_of(ahead, LEVELS)

    def of_group(own: slice) -> IntArray:
        return (backward or by_columns)(stores.part(own), ahead.part(own), LEVELS, upto)[1]

    for part, worth in zip(parts, spread(of_group, parts), strict=True):
        found[:, :, part] = worth
    return np.minimum(found, LARGEST_WORTH)


def held_worth(worth: IntArray, added: IntArray, devices: Devices) -> HeldWorth:
    """What batteries know of a slot, from what held energy is worth after it, (levels, batteries)."""
    above = _above_kept(devices)
    level_wh = above * np.arange(len(worth) + 1)[:, None] // len(worth)
    stores = batteries(replace(devices, capacity_wh=above), 1)
    own_only = np.zeros(len(above), np.bool_) if devices.own_only is None else devices.own_only
    return HeldWorth(worth, level_wh, added, stores, devices.capacity_wh - above, own_only)


def of_owners(devices: Devices, held_wh: IntArray) -> IntArray:
    """What of bought − sold [Wh], (members,), batteries keep to.

    One that its owner keeps off the street neither fills up for what was bought nor gives for what was sold.
    """
    kept = np.broadcast_to(held_wh, devices.capacity_wh.shape)
    if devices.own_only is not None:
        kept = np.where(devices.own_only, np.minimum(kept, 0), kept)
    if devices.home_only is not None:
        kept = np.where(devices.home_only, np.maximum(kept, 0), kept)
    return kept


def _above_kept(devices: Devices) -> IntArray:
    """What of each battery its owner does not keep [Wh]."""
    if devices.reserve_wh is None:
        return devices.capacity_wh
    above: IntArray = np.maximum(devices.capacity_wh - devices.reserve_wh, 0)
    return above
