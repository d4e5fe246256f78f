"""Certificates traded apart from energy: what can be offered and wanted in a slot, and what a clearing moves.

Offered are the certificates that producers held back of what they exported in the slot; wanted are certificates for
what a home used from the grid in the same slot without any. What is bought is claimed at once by its buyer, whose
market-based carbon then has the factor of the certificate in place of the residual mix.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from transactive.carbon.accounting import CarbonSlot
from transactive.carbon.certificates.allotment import side_by_side
from transactive.core.certificates import Certificates, CertificateState
from transactive.core.errors import require
from transactive.core.units import BoolArray, IntArray, split_pair


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """Certificates that changed hands, (pairs,): seller, buyer, Wh; each pair once."""

    seller: IntArray
    buyer: IntArray
    energy_wh: IntArray


def offered_wh(certificates: Certificates, members: int) -> IntArray:
    """Certificates of a slot that each producer holds of its own devices [Wh], (members,)."""
    mine, total = _held_by_producer(certificates), np.zeros(members, np.int64)
    np.add.at(total, certificates.owner[mine], certificates.energy_wh[mine])
    return total


def move(slot: CarbonSlot, sold_wh: IntArray, bought_wh: IntArray) -> tuple[CarbonSlot, Moved]:
    """Give sold certificates to their buyers, who claim them; both (members,), of the same sum.

    A producer's certificates go by device and range, to buyers in the order of the members. What a buyer's load without
    a certificate emitted goes down pro rata; nobody else's carbon changes.
    """
    issued, members = slot.certificates, len(sold_wh)
    require(int(sold_wh.sum()) == int(bought_wh.sum()), "certificates sold = certificates bought")
    require(bool((sold_wh <= offered_wh(issued, members)).all()), "nobody sells a certificate that it does not hold")
    require(bool((bought_wh <= slot.unmatched_load_wh).all()), "nobody buys certificates beyond what it used")
    taken = _taken(issued, sold_wh)
    row, buyer, wh, mg = side_by_side(taken, issued.market_mg * taken // np.maximum(issued.energy_wh, 1), bought_wh)
    certificates = _with_claims(issued, row, buyer, wh, mg)
    claimed_mg, left_wh = np.zeros(members, np.int64), slot.unmatched_load_wh - bought_wh
    np.add.at(claimed_mg, buyer, mg)
    matched_mg = split_pair(slot.unmatched_load_mg, bought_wh, left_wh)
    market_mg = slot.footprints.market_mg + claimed_mg - matched_mg
    after = replace(
        slot,
        certificates=certificates,
        footprints=replace(slot.footprints, market_mg=market_mg),
        unmatched_mg=slot.unmatched_mg - matched_mg,
        unmatched_load_wh=left_wh,
        unmatched_load_mg=slot.unmatched_load_mg - matched_mg,
    )
    return after, _pairs(issued.owner[row], buyer, wh, members)


def _held_by_producer(certificates: Certificates) -> BoolArray:
    """Rows that their own producer holds, (bundles,)."""
    held = certificates.state == CertificateState.HELD
    mine: BoolArray = held & (certificates.owner == certificates.device // 2)
    return mine


def _taken(issued: Certificates, sold_wh: IntArray) -> IntArray:
    """What is sold of each bundle [Wh], (bundles,): a seller's bundles one after the other."""
    mine = np.flatnonzero(_held_by_producer(issued))
    held, owner = issued.energy_wh[mine], issued.owner[mine]
    before = np.cumsum(held) - held
    begins = np.searchsorted(owner, owner)  # bundles stand by device, so those of an owner stand together
    taken = np.zeros(len(issued), np.int64)
    taken[mine] = np.clip(sold_wh[owner] - (before - before[begins]), 0, held)
    return taken


def _with_claims(issued: Certificates, row: IntArray, buyer: IntArray, wh: IntArray, mg: IntArray) -> Certificates:
    """Bundles with pieces of some of them claimed by buyers; a bundle's pieces come first, what is left of it last."""
    gone, gone_mg = np.zeros((2, len(issued)), np.int64)
    np.add.at(gone, row, wh)
    np.add.at(gone_mg, row, mg)
    before = np.cumsum(wh) - wh
    offset = before - before[np.searchsorted(row, row)]
    claimed = np.full(len(row), CertificateState.CLAIMED, np.int64)
    columns = (
        np.concatenate((issued.device, issued.device[row])),
        np.concatenate((issued.first_wh + gone, issued.first_wh[row] + offset)),
        np.concatenate((issued.energy_wh - gone, wh)),
        np.concatenate((issued.owner, buyer)),
        np.concatenate((issued.state, claimed)),
        np.concatenate((issued.market_mg - gone_mg, mg)),
    )
    real = np.flatnonzero(columns[2])
    order = real[np.lexsort((columns[1][real], columns[0][real]))]
    return Certificates(issued.slot, *(column[order] for column in columns))


def _pairs(seller: IntArray, buyer: IntArray, wh: IntArray, members: int) -> Moved:
    """Sums by seller and buyer, in the order of both."""
    pair, place = np.unique(seller * members + buyer, return_inverse=True)
    total = np.zeros(len(pair), np.int64)
    np.add.at(total, place, wh)
    return Moved(pair // members, pair % members, total)
