"""Postings of a slot that is shared by keys: who pays whom for what was allotted.

Users pay producers the price of their circle for each Wh, and the network its part of the fee; what is not shared is
the supplier's, at the tariff. Two things differ where a law has it so. A surplus that belongs to the holder of a fixed
share: the producer, who sells it, passes on what it gets. An incentive: the supplier bills every meter as if alone, and
the body that pays for shared energy pays producers, users and community; it stands outside the community as the
supplier does, so its money comes from that account.
"""

from __future__ import annotations

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.postings import PostingKind, Postings
from transactive.core.tables import Delivery
from transactive.core.tariff import Tariff
from transactive.core.units import PPM, IntArray, share_columns
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
        (kind.EXTRA_SUPPLIER, member, supplier, delivery.extra_supplier_wh, tariff.supply),
        (kind.GIVE_SUPPLIER, supplier, member, delivery.give_supplier_wh, tariff.feed_in),
    ]
    for circle, used in zip(shared.circles, shared.used_wh, strict=True):
        fee = part_of(tariff.fee, circle.fee_ppm) if incentive is None else 0
        lines.append((kind.NETWORK_FEE, member, network, used, fee))
    if shared.surplus_wh.any():
        gives = np.maximum(delivery.exported_wh - delivery.imported_wh, 0) - shared.given_wh.sum(axis=0)
        left = share_columns(int(shared.surplus_wh.sum()), gives)
        lines += [
            (kind.SURPLUS, member, pool, left, tariff.feed_in),
            (kind.SURPLUS, pool, member, shared.surplus_wh, tariff.feed_in),
        ]
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


def part_of(price: int, ppm: int) -> int:
    """Part of a price [µ¤/kWh], rounded half up to a whole one: where a reduced network fee is rounded."""
    return (2 * price * ppm + PPM) // (2 * PPM)


def _free_of_charge(line: Line) -> bool:
    """Whether a line says nothing: a fee or an incentive of zero. What is shared for nothing is still said."""
    return line[0] != PostingKind.SHARED and np.ndim(line[4]) == 0 and int(line[4]) == 0


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
    imports, exports = int(delivery.extra_supplier_wh.sum()), int(delivery.give_supplier_wh.sum())
    used = int(shared.used_wh.sum())
    due = imports * tariff.supply - exports * tariff.feed_in - used * sum(incentive or ())
    require(int(net[accounts.supplier]) == due, "the supplier receives its tariff on what is not shared")
    fees = [part_of(tariff.fee, circle.fee_ppm) if incentive is None else 0 for circle in shared.circles]
    earned = sum(int(wh) * fee for wh, fee in zip(shared.used_wh.sum(axis=1), fees, strict=True))
    require(int(net[accounts.network]) == earned, "the network receives its fee on shared energy")
