"""What a slot commits of each member's carbon: a leaf beside that of its money, under the same contract.

sums          metered production, issued, claimed of it, consumption [Wh]; certificates received [Wh],
              location-based and market-based footprint [mg], levy [n¤]: of this slot alone
fills         hash of the member's record of the slot (`carbon.certificates.records`)
orders        hash of the corrected readings of earlier slots that this one settled for the member, zero without any
              (`core.proofs.corrections`): late energy is in no sum of the slot in which it arrives
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.carbon.certificates.records import (
    bundle_rows,
    heads,
    in_settlement,
    notes_for,
    posting_rows,
    record_hashes,
    rest_hash,
    rows_of,
)
from transactive.core.certificates import Certificates, CertificateState, Footprints
from transactive.core.community.community import Community
from transactive.core.credit_notes import Note
from transactive.core.postings import Postings
from transactive.core.proofs.corrections import Corrections
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Readings
from transactive.core.units import IntArray
from transactive.settlement.unmetered_slots import marks_of


def carbon_leaves(
    number: int,
    readings: Readings,
    postings: Postings,
    certificates: Certificates,
    footprints: Footprints,
    levied: tuple[IntArray, IntArray],
    notes: Sequence[Note] = (),
    corrections: Corrections | None = None,
    *,
    places: Sequence[int] | None = None,
    is_void: bool = False,
) -> SlotLeaves:
    """Leaves of all members of slot `number`.

    levied: unmatched carbon [mg] and the levy on it [n¤], each (members,). notes: what the slot says of carbon credits.
    corrections: of earlier slots, which this one settled. places: of members that settle in groups, within theirs; None
    for all in one settlement. is_void: whether the slot's session was.
    """
    members = len(readings.import_wh)
    unmatched_mg, levy_n = levied
    issued, claimed, received = issued_claimed_received_wh(certificates, members)
    metered = readings.generation_wh + readings.discharge_wh
    sums = np.stack((metered, issued, claimed, readings.consumption_wh), axis=1)
    carbon = np.stack((received, footprints.location_mg, footprints.market_mg, levy_n), axis=1)
    head = heads(readings, footprints, unmatched_mg, levy_n)
    nothing = np.zeros_like(sums)
    records = record_hashes(head, postings, certificates, notes, places)
    lines = [ZERO] * members if corrections is None else corrections.hashes(places or range(members))
    return SlotLeaves(number, sums, carbon, nothing, nothing, records, lines, marks_of(readings, is_void=is_void))


def carbon_leaves_of(book: SlotBook, number: int, community: Community) -> SlotLeaves:
    """Leaves of a delivered slot of a community, which has this number."""
    carbon = (book.certificates, book.footprints, book.levied, book.notes)
    return carbon_leaves(
        number, book.readings, book.postings, *carbon, book.corrections,
        places=community.places if community.groups else None, is_void=book.is_void,
    )  # fmt: skip


def member_record(book: SlotBook, member: int, community: Community) -> tuple[bytes, IntArray]:
    """A member's bundles, and the hash of what else is in its record: what stands behind its leaf of carbon.

    Bundles have the numbers of the member's settlement.
    """
    head = heads(book.readings, book.footprints, *book.levied)[member]
    posted = rows_of(posting_rows(book.postings), book.postings.payer, book.postings.payee, member)
    c = book.certificates
    notes = notes_for(member, len(book.readings.import_wh), book.notes)
    rows = rows_of(bundle_rows(c), c.device // 2, c.owner, member)
    return rest_hash(head, posted, notes), in_settlement(rows, community.places if community.groups else None)


def issued_claimed_received_wh(certificates: Certificates, members: int) -> tuple[IntArray, IntArray, IntArray]:
    """What was issued to each member's devices, what of it was claimed by anybody, and what each claimed [Wh]."""
    c = certificates
    mine, sums = c.state == CertificateState.CLAIMED, np.zeros((3, members), np.int64)
    np.add.at(sums[0], c.device // 2, c.energy_wh)
    np.add.at(sums[1], c.device[mine] // 2, c.energy_wh[mine])
    np.add.at(sums[2], c.owner[mine], c.energy_wh[mine])
    return sums[0], sums[1], sums[2]
