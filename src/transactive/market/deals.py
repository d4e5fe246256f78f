"""Deals: what members agreed on with each other, and how that stands in the book of their orders.

Members that trade directly deal in net positions: who sold may buy a part back when somebody is cheaper. A deal fills
its member's own orders, the best ones first; what it undoes of an earlier deal is an order of its own, at the price of
the deal, so that a book with it says all that its member agreed to.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.tables import Orders, Table
from transactive.core.units import IntArray
from transactive.market.fills import OrderFills


@dataclass(frozen=True, slots=True)
class NodeReach:
    """How one member's node fared: members that it did not hear of in the last round, and what it sent.

    milliseconds: after the round began until it knew all; None: it never did.
    """

    member: int
    unheard: tuple[int, ...]
    datagrams: int
    milliseconds: int | None


@dataclass(frozen=True, slots=True)
class Traffic:
    """What agreeing on a slot took. rounds; reached: nodes that knew all quotes in the last one, of `nodes`.

    datagrams, sent_bytes: of all nodes. told: by nodes themselves, where they are on a real network.
    """

    rounds: int
    nodes: int
    reached: int
    datagrams: int
    sent_bytes: int
    told: tuple[NodeReach, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Deals(Table):
    """Deals of one slot in the order in which they were made, (deals,): members, Wh > 0, price [µ¤/kWh]."""

    slot: int
    buyer: IntArray
    seller: IntArray
    energy_wh: IntArray
    price: IntArray

    def __len__(self) -> int:
        return len(self.energy_wh)


@dataclass(frozen=True, slots=True, eq=False)
class Negotiated:
    """Deals of a slot, and what they took."""

    deals: Deals
    traffic: Traffic


def in_book(orders: Orders, deals: Deals) -> tuple[Orders, OrderFills]:
    """Orders that the deals add to a book, and the fills of book and added ones, in this order."""
    left = orders.energy_wh.copy()
    sides = {True: np.lexsort((-orders.price,)), False: np.lexsort((orders.price,))}  # the best of each side first
    best = {side: rows[orders.is_buy[rows] == side] for side, rows in sides.items()}
    fills: list[tuple[int, int, int]] = []
    added: list[tuple[int, bool, int, int]] = []
    columns = (column.tolist() for column in (deals.buyer, deals.seller, deals.energy_wh, deals.price))
    for buyer, seller, energy, price in zip(*columns, strict=True):
        for member, is_buy in ((buyer, True), (seller, False)):
            rest = energy
            for row in best[is_buy][orders.member[best[is_buy]] == member].tolist():
                limit = int(orders.price[row])
                part = min(rest, int(left[row])) if (limit >= price if is_buy else limit <= price) else 0
                if part:
                    fills.append((row, part, price))
                    left[row] -= part
                    rest -= part
            if rest:
                fills.append((len(orders) + len(added), rest, price))
                added.append((member, is_buy, price, rest))
    who, side, limit_of, wh = (np.array([row[k] for row in added], np.int64) for k in range(4))
    more = Orders(orders.slot, who, side.astype(np.bool_), limit_of, wh, np.zeros(len(added), np.int64))
    rows, filled, prices = (np.array([row[k] for row in fills], np.int64) for k in range(3))
    return more, OrderFills(orders.slot, rows, filled, prices)


def rest_of(orders: Orders, fills: OrderFills) -> tuple[Orders, IntArray]:
    """What a book has left after some fills, and the rows of the book that it is of."""
    left = orders.energy_wh - fills.allocated_wh(len(orders))
    rows = np.flatnonzero(left)
    rest = orders.only(rows)
    return Orders(rest.slot, rest.member, rest.is_buy, rest.price, left[rows], rest.lock_n), rows
