"""Postings of a slot that is shared by keys: who pays whom for what was allotted.

Users pay producers the price of their circle for each Wh, and the network its part of the fee; what is not shared is
the supplier's, at the tariff. Two things differ where a law has it so. A surplus that belongs to the holder of a fixed
share: the producer, who sells it, passes on what it gets, at its own price where it has one. An incentive: the supplier
bills every meter as if alone, and the body that pays for shared energy pays producers, users and community; it stands
outside the community as the supplier does, so its money comes from that account.

A member with prices of its own has them for what the supplier bills or pays it, and for the network fee. What a circle
shares within a neighbourhood bears the fee of neighbourhoods where that is lower than the circle's.
"""

from __future__ import annotations

from typing import overload

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.postings import PostingKind, Postings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.units import PPM, IntArray, share_columns
from transactive.settlement.neighbourhood import near_wh
from transactive.settlement.netted import Line, book
from transactive.settlement.sharing import SharedSlot


def post_shared(
    delivery: Delivery,
    shared: SharedSlot,
    tariff: Tariff,
    accounts: Accounts,
    incentive: tuple[int, int, int] | None = None,
) -> Postings:
    """Postings of one slot.

    incentive: for each shared Wh, to its producer, to its user, to the community [µ¤/kWh]; None where neighbours pay.
    """
    kind, member = PostingKind, np.arange(accounts.members)
    supplier, network, pool = accounts.supplier, accounts.network, accounts.pool
    lines: list[Line] = []
    for circle, used, given in zip(shared.circles, shared.used_wh, shared.given_wh, strict=True):
        price = circle.price if incentive is None else 0
        lines += [(kind.SHARED, member, pool, used, price), (kind.SHARED, pool, member, given, price)]
    lines += [
        (kind.EXTRA_SUPPLIER, member, supplier, delivery.extra_supplier_wh, tariff.supply_of),
        (kind.GIVE_SUPPLIER, supplier, member, delivery.give_supplier_wh, tariff.feed_in_of),
    ]
    fees = _fees(shared, tariff) if incentive is None else []
    lines += [(kind.NETWORK_FEE, member, network, energy, fee) for energy, fee in fees]
    if shared.surplus_wh.any():
        gives = np.maximum(delivery.exported_wh - delivery.imported_wh, 0) - shared.given_wh.sum(axis=0)
        left = share_columns(int(shared.surplus_wh.sum()), gives)
        lines.append((kind.SURPLUS, member, pool, left, tariff.feed_in_of))
        lines += [(kind.SURPLUS, pool, member, *part) for part in _passed_on(left, shared.surplus_wh, tariff)]
    used, given = shared.used_wh.sum(axis=0), shared.given_wh.sum(axis=0)
    if incentive is not None:
        to_producer, to_user, to_all = incentive
        lines += [
            (kind.INCENTIVE, supplier, member, given, to_producer),
            (kind.INCENTIVE, supplier, member, used, to_user),
            (kind.INCENTIVE, supplier, accounts.community, used.sum(), to_all),
        ]
    postings = book(delivery.slot, [line for line in lines if not _free_of_charge(line)])
    _check(delivery, shared, postings, tariff, accounts, incentive)
    return postings


def _passed_on(left_wh: IntArray, surplus_wh: IntArray, tariff: Tariff) -> list[tuple[IntArray, int]]:
    """What holders get of what producers pass on: energy of each [Wh], (members,), at each price of a producer.

    left_wh: of each producer; surplus_wh: of each holder, as much in all. Each price is split pro rata, so that nobody
    has the dear part; largest remainder, ties to the first.
    """
    prices, rest, found = np.broadcast_to(tariff.feed_in_of, left_wh.shape), surplus_wh, []
    for price in np.unique(prices[left_wh > 0]).tolist():
        energy = share_columns(int(left_wh[prices == price].sum()), rest)
        rest = rest - energy
        found.append((energy, price))
    return found


def _fees(shared: SharedSlot, tariff: Tariff) -> list[tuple[IntArray, IntArray | int]]:
    """Energy that each member used in each circle [Wh], (members,), and the network fee that it bears [µ¤/kWh]."""
    found: list[tuple[IntArray, IntArray | int]] = []
    for circle, used, given in zip(shared.circles, shared.used_wh, shared.given_wh, strict=True):
        fee, near = part_of(tariff.fee_of, circle.fee_ppm), near_wh(used, given, tariff.near)
        found.append((used - near, fee))
        if tariff.near is not None:
            found.append((near, np.minimum(fee, tariff.near.fee)))
    return found


@overload
def part_of(price: int, ppm: int) -> int: ...
@overload
def part_of(price: IntArray | int, ppm: int) -> IntArray | int: ...
def part_of(price: IntArray | int, ppm: int) -> IntArray | int:
    """Part of a price [µ¤/kWh], rounded half up to a whole one: where a reduced network fee is rounded."""
    return (2 * price * ppm + PPM) // (2 * PPM)


def _free_of_charge(line: Line) -> bool:
    """Whether a line says nothing: a fee or an incentive of zero. What is shared for nothing is still said."""
    return line[0] != PostingKind.SHARED and not np.any(line[4])


def used_and_given(postings: Postings, members: int) -> tuple[IntArray, IntArray]:
    """What a slot's postings say was shared [Wh]: used and given, each (members,)."""
    shared = postings.kind == PostingKind.SHARED
    positive = postings.price >= 0  # below zero the producer pays
    found = np.zeros((2, members), np.int64)
    sides = (np.where(positive, *pair) for pair in ((postings.payer, postings.payee), (postings.payee, postings.payer)))
    for sums, account in zip(found, sides, strict=True):
        rows = shared & (account < members)
        np.add.at(sums, account[rows], postings.energy_wh[rows])
    return found[0], found[1]


def _check(
    delivery: Delivery,
    shared: SharedSlot,
    postings: Postings,
    tariff: Tariff,
    accounts: Accounts,
    incentive: tuple[int, int, int] | None,
) -> None:
    """The rules that the postings of a shared slot must never break."""
    net = postings.net_n(accounts.total)
    require(int(net.sum()) == 0, "postings sum to zero")
    require(int(net[accounts.escrow]) == int(net[accounts.pool]) == 0, "escrow and pool end a slot at zero")
    billed, paid = delivery.extra_supplier_wh * tariff.supply_of, delivery.give_supplier_wh * tariff.feed_in_of
    due = int(billed.sum()) - int(paid.sum()) - int(shared.used_wh.sum()) * sum(incentive or ())
    require(int(net[accounts.supplier]) == due, "the supplier receives its tariff on what is not shared")
    earned = sum(int((energy * fee).sum()) for energy, fee in _fees(shared, tariff)) if incentive is None else 0
    require(int(net[accounts.network]) == earned, "the network receives its fee on shared energy")
