"""Transfers that follow from funds, not from energy: the supplier's advance and the community's dividend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from transactive.core.accounts import Accounts
from transactive.core.errors import require
from transactive.core.postings import PostingKind, Postings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.units import BoolArray, IntArray, share
from transactive.settlement.corrections import charged_n


def advance(postings: Postings, delivery: Delivery, tariff: Tariff, funds_n: IntArray, accounts: Accounts) -> Postings:
    """What the supplier advances to members whose slot costs more than their funds [n¤], (members,).

    Orders are covered by their locks, so only energy taken beyond them can cost too much, its levy included, or, at a
    negative feed-in price, energy given beyond them, corrected readings of earlier slots and standing charges. It is
    posted up to the funds; the rest is the supplier's receivable outside the ledger, and the advance is its trace
    inside. Where keys decide there are no orders, and all of it is beyond them.
    """
    cost = -postings.net_n(accounts.total)[: accounts.members]
    missing = np.maximum(cost - np.maximum(funds_n, 0), 0)
    beyond = (
        delivery.extra_inside_wh * np.maximum(tariff.needs_pay + tariff.fee_of, 0)
        + delivery.extra_supplier_wh * np.maximum(tariff.supply_of, 0)
        + (delivery.extra_inside_wh + delivery.extra_supplier_wh) * tariff.levy
        + np.maximum(delivery.exported_wh - delivery.sold_wh, 0)
        * np.maximum(-np.minimum(tariff.feed_in_of, tariff.feed_in), 0)
        + charged_n(postings, accounts.members)
    )
    standing = postings.kind == PostingKind.STANDING_CHARGE
    np.add.at(beyond, postings.payer[standing], postings.amount_n[standing])
    covered = tariff.shared is not None or bool((missing <= beyond).all())
    require(covered, "locks cover whatever an order can cost")
    return transfer(postings.slot, PostingKind.ADVANCE, accounts.supplier, np.arange(accounts.members), missing)


def dividend(slot: int, undistributed_n: int, accounts: Accounts, present: BoolArray | None = None) -> Postings:
    """Pay the community account out in equal parts to those present, (members,), or all; what does not divide stays."""
    require(undistributed_n >= 0, "the community account never owes")
    members = np.arange(accounts.members) if present is None else np.flatnonzero(present)
    part = undistributed_n // max(len(members), 1)
    return transfer(slot, PostingKind.DIVIDEND, accounts.community, members, np.full(len(members), part, np.int64))


def ownership(
    postings: Postings, owned: Mapping[int, Mapping[int | None, int]], present: BoolArray, accounts: Accounts
) -> Postings:
    """Pass on what each shared plant earned in a slot, by the shares of its owners.

    owned: shares [ppm] by plant and owner, None being the community, which also takes the part of an owner who is not
    present, (members,). Largest remainder, ties to the owner named first.
    """
    net, passed = postings.net_n(accounts.total), Postings.none(postings.slot)
    for plant, shares in owned.items():
        there = [owner if owner is not None and present[owner] else accounts.community for owner in shares]
        parts = np.array(share(max(int(net[plant]), 0), list(shares.values())), np.int64)
        payees = np.array(there, np.int64)
        passed = passed.and_then(transfer(postings.slot, PostingKind.OWNERSHIP, plant, payees, parts))
    return passed


def spend(slot: int, kind: PostingKind, bought: Sequence[tuple[int, int, int, int]]) -> Postings:
    """Postings of what was bought at a price: payer, payee, quantity, price of each."""
    rows = np.array(bought, np.int64).reshape(-1, 4)
    payer, payee, quantity, price = rows.T
    return Postings(slot, np.full(len(rows), int(kind), np.int64), payer, payee, quantity, price, quantity * price)


def transfer(slot: int, kind: PostingKind, payer: int, payees: IntArray, amounts_n: IntArray) -> Postings:
    """Postings of plain amounts [n¤] from one account, a row a payee; zero amounts are left out."""
    return _plain(slot, kind, np.full(len(payees), payer, np.int64), payees, amounts_n)


def collect(slot: int, kind: PostingKind, payee: int, amounts_n: IntArray) -> Postings:
    """Postings of plain amounts [n¤] from the members, (members,), to one account; zero amounts are left out."""
    members = np.arange(len(amounts_n))
    return _plain(slot, kind, members, np.full(len(amounts_n), payee, np.int64), amounts_n)


def _plain(slot: int, kind: PostingKind, payers: IntArray, payees: IntArray, amounts_n: IntArray) -> Postings:
    """Postings of amounts that follow from no energy and no price."""
    real = amounts_n > 0
    nothing = np.zeros(int(real.sum()), np.int64)
    kinds = np.full(len(nothing), int(kind), np.int64)
    return Postings(slot, kinds, payers[real], payees[real], nothing, nothing, amounts_n[real])
