"""Hypothesis strategies that the tests of several rooms share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from transactive.core.accounts import Accounts
from transactive.core.community.members import Devices
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.tables import Orders, Readings
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.core.units import PPM, IntArray, share
from transactive.metering.registers import measure
from transactive.settlement.netted import deliver

MOST_WH = 1 << 62

BOTH_SIDES = st.booleans()
SIDES = (st.just(value=True), st.just(value=False), BOTH_SIDES, BOTH_SIDES, BOTH_SIDES)


@dataclass(frozen=True)
class Book:
    """Orders with the market they are meant for."""

    orders: Orders
    grid: PriceGrid
    members: int


def orders_table(
    member: list[int], is_buy: list[bool], price: list[int], energy_wh: list[int], slot: int = 0
) -> Orders:
    """Orders from plain lists; nothing is locked."""
    return Orders(
        slot=slot,
        member=np.array(member, np.int64),
        is_buy=np.array(is_buy, np.bool_),
        price=np.array(price, np.int64),
        energy_wh=np.array(energy_wh, np.int64),
        lock_n=np.zeros(len(member), np.int64),
    )


@st.composite
def grids(draw: st.DrawFn, most_ticks: int = 16) -> PriceGrid:
    """Price grids, with negative floors and single prices among them."""
    tick = draw(st.sampled_from((1, 100, 20_000)))
    floor = draw(st.sampled_from((-50_000, 0, 80_000)))
    return PriceGrid(floor, floor + tick * draw(st.integers(0, most_ticks - 1)), tick)


@st.composite
def books(draw: st.DrawFn, most_orders: int = 14) -> Book:
    """Small nasty books: ties, duplicates, one side only, uncrossed, all at one price, up to 2**62 Wh in all."""
    grid = draw(grids())
    count = draw(st.integers(0, most_orders))
    side = draw(st.sampled_from(SIDES))
    prices_used = draw(st.integers(1, grid.size))
    most_wh = draw(st.sampled_from((1, 3, 10, 5_000, 2**31 - 1, MOST_WH // max(most_orders, 1))))
    members = draw(st.integers(1, 5))

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=count, max_size=count))

    ticks = column(st.integers(0, prices_used - 1))
    orders = orders_table(
        member=column(st.integers(0, members - 1)),
        is_buy=column(side),
        price=[grid.price(tick) for tick in ticks],
        energy_wh=column(st.integers(1, most_wh)),
    )
    return Book(orders, grid, members)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    """Tariffs under which local trade can pay: feed-in at most supply − fee, negative prices included."""
    feed_in = draw(st.integers(-100_000, 200_000))
    spread = draw(st.integers(0, 400_000))
    fee = draw(st.integers(0, 100_000))
    return Tariff(supply=feed_in + spread + fee, feed_in=feed_in, fee=fee)


# -- slots as they were traded and metered ------------------------------------------------------------------------

SLOT = 1_496_620_800
"""2017-06-05T00:00Z."""


def whole(*values: int) -> IntArray:
    """A column of whole numbers."""
    return np.array(values, np.int64)


@dataclass(frozen=True)
class Traded:
    """A cleared slot and its meters, in any mixture of kept and broken words."""

    positions: Positions
    readings: Readings
    tariff: Tariff

    @property
    def accounts(self) -> Accounts:
        """Accounts of the slot's members."""
        return Accounts(len(self.positions.bought_wh))


def positions_of(slot: int, price: int, bought: Sequence[int], sold: Sequence[int]) -> Positions:
    """Positions at one price from what members bought and sold."""
    return Positions.at_one_price(slot, price, np.array(bought, np.int64), np.array(sold, np.int64))


@st.composite
def priced(draw: st.DrawFn, slot: int, tariff: Tariff, bought: Sequence[int], sold: Sequence[int]) -> Positions:
    """Positions between feed-in and supply − fee: at one price, at one a trade, or with congestion rent."""
    price = st.integers(tariff.feed_in, tariff.grid_cost)
    how = draw(st.sampled_from(("one price", "trades", "nodes")))
    if how == "one price":
        return positions_of(slot, draw(price), bought, sold)
    few = st.sampled_from(draw(st.lists(price, min_size=1, max_size=3)))  # some trades share a price
    rows: list[tuple[int, bool, int, int]] = []
    buys, sells = ([[k, wh] for k, wh in enumerate(side) if wh] for side in (bought, sold))
    while buys:
        most = min(buys[0][1], sells[0][1])
        wh = draw(st.integers(1, most)) if len(rows) < 12 else most
        paid = draw(few)
        received = min(paid, draw(few)) if how == "nodes" else paid
        rows += [(buys[0][0], True, wh, paid), (sells[0][0], False, wh, received)]
        for side in (buys, sells):
            side[0][1] -= wh
            if not side[0][1]:
                side.pop(0)
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return Positions.of(slot, len(bought), columns[0], columns[1].astype(bool), columns[2], columns[3])


@st.composite
def trades(draw: st.DrawFn, members: int, most_wh: int) -> tuple[list[int], list[int]]:
    """Bought and sold Wh per member, equal in sum; often one side each, sometimes both for one member."""
    wish = draw(st.lists(st.integers(-most_wh, most_wh), min_size=members, max_size=members))
    weights = [max(-w, 0) for w in wish]
    bought = [max(w, 0) for w in wish]
    if draw(st.booleans()):  # a member may have orders on both sides
        weights = draw(st.lists(st.integers(0, 9), min_size=members, max_size=members))
    if not any(weights):
        return [0] * members, [0] * members
    return bought, share(sum(bought), weights)


@st.composite
def traded_slots(draw: st.DrawFn, most_members: int = 7) -> Traded:
    """Slots with any roles, prices between feed-in and supply − fee, and any deviations at the meters.

    Some meters count in both directions of a slot.
    """
    members = draw(st.integers(1, most_members))
    most_wh = draw(st.sampled_from((1, 3, 50, 5_000, 1_000_000)))
    tariff = draw(tariffs())
    bought, sold = draw(trades(members, most_wh))
    net = []
    for b, s in zip(bought, sold, strict=True):
        deviation = draw(st.sampled_from((0, 0, 1, -1, most_wh // 3, -most_wh, most_wh)))
        kept = draw(st.integers(0, 3))
        net.append(b - s + deviation if kept else draw(st.integers(-most_wh, most_wh)))
    both_ways = np.array([draw(st.sampled_from((0, 0, 0, 1, most_wh))) for _ in net], np.int64)
    imported, exported = (np.maximum(sign * np.array(net, np.int64), 0) + both_ways for sign in (1, -1))
    nothing = np.zeros(members, np.int64)
    return Traded(
        draw(priced(SLOT, tariff, bought, sold)),
        Readings(SLOT, imported, exported, exported, nothing, nothing),
        tariff,
    )


@st.composite
def batteries(draw: st.DrawFn, members: int, most_wh: int = 12_000) -> Devices:
    """Devices as columns, members without a battery and tiny batteries among them."""

    def column(values: st.SearchStrategy[int]) -> IntArray:
        return np.array(draw(st.lists(values, min_size=members, max_size=members)), np.int64)

    capacity = column(st.one_of(st.just(0), st.integers(0, 40), st.integers(0, most_wh)))
    power = column(st.one_of(st.integers(0, 10), st.integers(0, most_wh)))
    efficiency = column(st.one_of(st.sampled_from((1, 500_000, 900_000, PPM)), st.integers(1, PPM)))
    return Devices(np.zeros(members, np.int64), capacity, np.where(capacity > 0, power, 0), efficiency)


# -- neighbourhoods that live through several slots ---------------------------------------------------------------


@dataclass(frozen=True)
class Lived:
    """One slot of a neighbourhood: meters, trades held against them, factors [g/kWh]: PV, grid, residual."""

    readings: Readings
    delivery: Delivery
    factors: tuple[int, int, int]


@dataclass(frozen=True)
class Neighbourhood:
    """Homes with batteries that started empty and acted within their limits."""

    devices: Devices
    slots: list[Lived]


@st.composite
def neighbourhoods(draw: st.DrawFn, most_members: int = 5, most_slots: int = 6) -> Neighbourhood:
    """Consecutive slots of homes: batteries charge and discharge as they like, trades are kept or broken."""
    members = draw(st.integers(1, most_members))
    most_wh = draw(st.sampled_from((3, 60, 9_000)))
    devices = draw(batteries(members, most_wh))
    charged = np.zeros(members, np.int64)
    energy = st.one_of(st.just(0), st.integers(0, most_wh))
    grams = st.one_of(st.just(0), st.integers(0, 900))
    slots = []
    for number in range(draw(st.integers(1, most_slots))):
        consumption, generation = (np.array([draw(energy) for _ in range(members)], np.int64) for _ in range(2))
        charge, discharge = np.zeros(members, np.int64), np.zeros(members, np.int64)
        for k in range(members):
            action = draw(st.integers(-100, 100))
            if action > 0:
                most = min(int(devices.capacity_wh[k] - charged[k]), int(devices.power_wh[k]))
                charge[k] = most * action // 100
            else:
                most = min(int(devices.deliverable_wh(charged)[k]), int(devices.power_wh[k]))
                discharge[k] = most * -action // 100
        charged = charged + charge - devices.drawn_wh(discharge)
        both = np.minimum(consumption, generation) * draw(
            st.sampled_from((0, 0, 0, 1))
        )  # out at one time, in at another
        readings = measure(SLOT + 3600 * number, consumption, generation, charge, discharge, both)
        bought, sold = draw(trades(members, most_wh))
        delivery = deliver(positions_of(readings.slot, 0, bought, sold), readings)
        slots.append(Lived(readings, delivery, (draw(grams), draw(grams), draw(grams))))
    return Neighbourhood(devices, slots)


def leaves_of(slot: int, money: list[list[int]]) -> SlotLeaves:
    """Leaves whose running totals of money are given, and no other values."""
    nothing, none = np.zeros((len(money), 4), np.int64), [ZERO] * len(money)
    return SlotLeaves(slot, np.array(money, np.int64), nothing, nothing, nothing, none, none)
