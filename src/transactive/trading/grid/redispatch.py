"""Flexibility by limit: what happens in a slot as a book of orders, so that a market by location can keep every line.

Each home orders what it takes or gives anyway, and offers what its devices could do instead. The ranks of the limits
say what is asked first when a line is full; where no line is, every home gets what it ordered.

    rank   towards the end of the book: dearer
    0      PV that crosses the meter                     held back last, when energy is worth nothing
    1      batteries that charge more, or serve less
    2      batteries that export by their plan           stopped first
    3, 4   the grid buys and sells whatever is left
    5      loads that can wait, and batteries that charge from the grid by plan   stopped first
    6      batteries that give more, or charge less
    7      load                                          never cut: what would be is told, and stays

A home's own PV serves its load before anybody's limit. Prices are ranks, or, where lines lose energy and prices rise
along the way, powers that no such rise can bridge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.community.members import Devices
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.core.units import IntArray

PV, FILL, EXPORT, GRID_BUYS, GRID_SELLS, CHARGE, GIVE, LOAD = range(8)
BUYS = (FILL, CHARGE, LOAD, GRID_BUYS)
UNLIMITED = 1 << 40
"""What no connection lets in in a slot [Wh]."""
APART = 50
"""Ratio of neighbouring prices where lines lose energy."""


@dataclass(frozen=True, slots=True, eq=False)
class OwnPlans:
    """What homes do in a slot by their own rules [Wh], (members,), and what batteries and connections could do.

    let_in_wh: most that a connection lets in. waiting_wh: of the load, what can wait.
    """

    load_wh: IntArray
    generation_wh: IntArray
    charge_wh: IntArray
    discharge_wh: IntArray
    most_charge_wh: IntArray
    most_discharge_wh: IntArray
    let_in_wh: IntArray
    waiting_wh: IntArray

    @classmethod
    def of(
        cls,
        load_wh: IntArray,
        generation_wh: IntArray,
        moved_wh: tuple[IntArray, IntArray],
        devices: Devices,
        charged_wh: IntArray,
        let_in_wh: IntArray | None = None,
        waiting_wh: IntArray | None = None,
    ) -> OwnPlans:
        """From charge and discharge [Wh] that the rules give at the charge levels before the slot.

        let_in_wh: None where no connection is limited; waiting_wh: None where no load can wait. What the owners of
        batteries ask holds for the network too.
        """
        room = np.minimum(devices.power_wh, devices.capacity_wh - charged_wh)
        able = np.minimum(devices.power_wh, devices.deliverable_wh(devices.spare_wh(charged_wh)))
        if devices.own_only is not None:
            room = np.where(devices.own_only, np.minimum(room, np.maximum(generation_wh - load_wh, 0)), room)
        if devices.home_only is not None:
            able = np.where(devices.home_only, np.minimum(able, np.maximum(load_wh - generation_wh, 0)), able)
        let_in = np.full_like(room, UNLIMITED) if let_in_wh is None else let_in_wh
        waiting = np.zeros_like(room) if waiting_wh is None else waiting_wh
        return cls(load_wh, generation_wh, *moved_wh, np.maximum(room, 0), able, let_in, waiting)

    @property
    def net_wh(self) -> IntArray:
        """What each home takes on balance [Wh]."""
        return self.load_wh - self.generation_wh + self.charge_wh - self.discharge_wh

    @property
    def charge_taken_wh(self) -> IntArray:
        """What batteries charge of what their homes take from the grid [Wh]."""
        taken: IntArray = np.minimum(self.charge_wh, np.maximum(self.net_wh, 0))
        return taken

    def offers(self) -> IntArray:
        """Energy of each home by rank [Wh], (8, members)."""
        imported, exported = np.maximum(self.net_wh, 0), np.maximum(-self.net_wh, 0)
        offers = np.zeros((8, len(self.net_wh)), np.int64)
        offers[EXPORT] = np.minimum(self.discharge_wh, exported)
        offers[PV] = exported - offers[EXPORT]
        offers[CHARGE] = np.minimum(self.charge_wh + self.waiting_wh, imported)
        offers[LOAD] = imported - offers[CHARGE]
        fill = self.most_charge_wh - self.charge_wh + self.discharge_wh
        offers[FILL] = np.minimum(fill, np.maximum(self.let_in_wh - self.net_wh, 0)) - offers[EXPORT]
        offers[GIVE] = self.most_discharge_wh - self.discharge_wh + self.charge_wh - self.charge_taken_wh
        return offers


@dataclass(frozen=True, slots=True, eq=False)
class Limited:
    """What homes do within the limits [Wh], (members,): PV held back, the battery, what waits, load cut on paper."""

    curtailed_wh: IntArray
    charge_wh: IntArray
    discharge_wh: IntArray
    waits_wh: IntArray
    cut_wh: IntArray

    def net_wh(self, planned: OwnPlans) -> IntArray:
        """What each home takes on balance [Wh], its load in full but for what waits."""
        return (
            planned.load_wh
            - self.waits_wh
            - planned.generation_wh
            + self.curtailed_wh
            + self.charge_wh
            - self.discharge_wh
        )


def grid_of(*, lossy: bool) -> PriceGrid:
    """Price grid of the book: ranks, or powers of `APART`."""
    return PriceGrid(0, price_of(LOAD, lossy=lossy), 1)


def price_of(rank: int, *, lossy: bool) -> int:
    """Limit of a rank."""
    return APART**rank if lossy and rank else rank


def redispatch_orders(slot: int, planned: OwnPlans, *, lossy: bool) -> Orders:
    """The book of a slot; the grid is one member more than the homes, at the network's first node."""
    offers = planned.offers()
    members = offers.shape[1]
    whole = np.concatenate((offers, np.zeros((8, 1), np.int64)), axis=1)
    whole[[GRID_BUYS, GRID_SELLS], members] = 2 * int(offers.sum()) + 1
    rank, member = np.nonzero(whole)
    prices = np.array([price_of(rank, lossy=lossy) for rank in range(8)], np.int64)
    return Orders(slot, member, np.isin(rank, BUYS), prices[rank], whole[rank, member], np.zeros(len(rank), np.int64))


def limited(planned: OwnPlans, orders: Orders, allocated_wh: IntArray, *, lossy: bool) -> Limited:
    """What the allocation of a book asks of each home."""
    members = len(planned.net_wh)
    prices = np.array([price_of(rank, lossy=lossy) for rank in range(8)], np.int64)
    given = np.zeros((8, members + 1), np.int64)
    given[np.searchsorted(prices, orders.price), orders.member] = allocated_wh
    given, offers = given[:, :members], planned.offers()
    battery = planned.charge_wh - planned.discharge_wh + given[FILL] - given[GIVE]
    stopped = offers[CHARGE] - given[CHARGE]
    uncharged = np.minimum(stopped, planned.charge_taken_wh)
    battery += (offers[EXPORT] - given[EXPORT]) - uncharged
    return Limited(
        curtailed_wh=offers[PV] - given[PV],
        charge_wh=np.maximum(battery, 0),
        discharge_wh=np.maximum(-battery, 0),
        waits_wh=stopped - uncharged,
        cut_wh=offers[LOAD] - given[LOAD],
    )
