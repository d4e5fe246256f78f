"""The least that homes could pay together, had everything been known: one linear program for HiGHS.

    least   sum(supply x taken − feed-in x given) − sum(room x local) − rest x efficiency x (held at the end − before)
    with    taken − given = net load + drawn − discharged               of each home in each slot
            held after = held before + drawn − discharged / efficiency
            local <= taken by all and by those beside,  local <= given by all and by those beside
    within  power, capacity, and drawn at most what the connection allows beside the load

Each meter is first at the supplier's tariff; a Wh that stays in the street then saves supply − fee − feed-in, the room.
So it is what all members and the community's account pay by netted settlement, whoever trades with whom. With no room a
home is alone with its tariff. Others can stand beside whose meters are given: then homes do the best that they can for
all with what others do. Real numbers: nothing that follows whole Wh costs less. With a price below zero a battery may
draw and discharge at once, which only lowers the bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.units import PPM, IntArray
from transactive.forecasting.series import FloatArray
from transactive.studies.battery import allowed
from transactive.trading.devices.foresight import solved
from transactive.trading.devices.stores import batteries


@dataclass(frozen=True, slots=True, eq=False)
class FacedStreet:
    """What homes are faced with in some slots.

    net_load_wh: without batteries, (slots, homes). supply, feed_in, room: (slots,) [µ¤/kWh], feed_in nowhere above
    supply; room of what stays in the street, below 0 where nothing does. devices, charged_wh, most_import_wh: (homes,);
    what connections let in in a slot. rest_price: what a Wh is worth that can be delivered after the last slot.
    taken_beside_wh, given_beside_wh: meters of those beside, (slots,).
    """

    net_load_wh: IntArray
    supply: IntArray
    feed_in: IntArray
    room: IntArray
    devices: Devices
    charged_wh: FloatArray
    most_import_wh: IntArray
    rest_price: int
    taken_beside_wh: FloatArray
    given_beside_wh: FloatArray

    def alone(self) -> FacedStreet:
        """The same homes, each with its tariff alone."""
        return replace(self, room=np.zeros_like(self.room))

    def of_home(self, home: int, taken_wh: FloatArray, given_wh: FloatArray) -> FacedStreet:
        """One home with all others beside it. taken_wh, given_wh: what each home's meter counts, (slots, homes)."""
        only = np.array([home])
        return replace(
            self,
            net_load_wh=self.net_load_wh[:, only],
            devices=self.devices.rows(only),
            charged_wh=self.charged_wh[only],
            most_import_wh=self.most_import_wh[only],
            taken_beside_wh=self.taken_beside_wh + np.delete(taken_wh, home, axis=1).sum(axis=1),
            given_beside_wh=self.given_beside_wh + np.delete(given_wh, home, axis=1).sum(axis=1),
        )


@dataclass(frozen=True, slots=True, eq=False)
class BestPlan:
    """What costs least: all in all [n¤]; and drawn, discharged and held after each slot [Wh], (slots, homes)."""

    cost_n: float
    draw_wh: FloatArray
    give_wh: FloatArray
    held_wh: FloatArray


def best_plan(street: FacedStreet) -> BestPlan:
    """Find the least that the homes pay together, what batteries hold beyond what they held before credited."""
    slots, homes = street.net_load_wh.shape
    size, devices = slots * homes, street.devices
    efficiency = np.broadcast_to(devices.efficiency_ppm / PPM, (slots, homes))
    taken, given, draw, give, held = (size * k + np.arange(size).reshape(slots, homes) for k in range(5))
    local, unmet, unused = (5 * size + slots * k + np.arange(slots) for k in range(3))
    meter, store = taken, given
    needs, gives = (2 * size + slots * k + np.arange(slots) for k in range(2))
    one, each = np.ones((slots, homes)), np.ones(slots)

    worth = np.zeros((slots, homes))
    worth[-1] = -street.rest_price * efficiency[-1]
    supply, feed_in = (np.repeat(price, homes) for price in (street.supply, street.feed_in))
    nothing = np.zeros(size)
    costs = np.concatenate((supply, -feed_in, nothing, nothing, worth.ravel(), -street.room, 0 * each, 0 * each))

    free = np.inf * one
    power = allowed(batteries(devices, slots), devices, street.net_load_wh)
    may_draw = np.minimum(power.draw_wh, np.maximum(street.most_import_wh - street.net_load_wh, 0))
    most = np.concatenate((free, free, may_draw, power.give_wh, power.most_wh), axis=None)
    before = np.zeros((slots, homes))
    before[0] = street.charged_wh
    sides = np.concatenate((street.net_load_wh, before), axis=None)
    beside = street.taken_beside_wh, street.given_beside_wh
    spread = np.broadcast_to(needs[:, None], (slots, homes)), np.broadcast_to(gives[:, None], (slots, homes))
    entries = (
        *((column, meter, sign * one) for column, sign in ((taken, 1), (given, -1), (draw, -1), (give, 1))),
        *((held, store, one), (held[:-1], store[1:], -one[1:]), (draw, store, -one), (give, store, 1 / efficiency)),
        *((local, needs, each), (unmet, needs, each), (taken, spread[0], -one)),
        *((local, gives, each), (unused, gives, each), (given, spread[1], -one)),
    )
    flat = tuple(tuple(part.ravel() for part in entry) for entry in entries)
    upper, right = np.concatenate((most, np.full(3 * slots, np.inf))), np.concatenate((sides, *beside))
    found = solved(costs, upper, right, flat, np.zeros(0, np.int64))
    held_before_n = float(street.rest_price * (efficiency[0] * street.charged_wh).sum())
    return BestPlan(float(costs @ found) + held_before_n, found[draw], found[give], found[held])
