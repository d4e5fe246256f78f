"""Everything that a slot said, as a run has it at hand or as its database keeps it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from transactive.carbon.certificates.records import bundle_rows, heads, notes_for, posting_rows, rest_hash, rows_of
from transactive.core.certificates import Certificates, Footprints
from transactive.core.community.community import Community
from transactive.core.credit_notes import Note
from transactive.core.errors import StateError
from transactive.core.postings import Postings
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.slots import time_text
from transactive.core.tables import Positions, Readings
from transactive.core.units import IntArray
from transactive.engine.books.carbon_leaves import carbon_leaves
from transactive.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class SlotBook:
    """Tables of a delivered slot.

    levied: unmatched carbon [mg] and levy [n¤], each (members,). accepted: signed orders with their receipts, where a
    chain has them. notes: what the slot says of carbon credits.
    """

    readings: Readings
    positions: Positions
    postings: Postings
    certificates: Certificates
    footprints: Footprints
    levied: tuple[IntArray, IntArray]
    accepted: Sequence[Accepted] = ()
    notes: Sequence[Note] = ()

    def carbon_leaves(self, number: int) -> SlotLeaves:
        """Leaves of carbon of this slot, which has this number."""
        carbon = (self.certificates, self.footprints, self.levied, self.notes)
        return carbon_leaves(number, self.readings, self.postings, *carbon)

    def record(self, member: int) -> tuple[bytes, IntArray]:
        """A member's bundles, and the hash of what else is in its record: what stands behind its leaf of carbon."""
        head = heads(self.readings, self.footprints, *self.levied)[member]
        posted = rows_of(posting_rows(self.postings), self.postings.payer, self.postings.payee, member)
        c = self.certificates
        notes = notes_for(member, len(self.readings.import_wh), self.notes)
        return rest_hash(head, posted, notes), rows_of(bundle_rows(c), c.device // 2, c.owner, member)


def read_slot(store: Store, community: Community, slot: int) -> SlotBook:
    """Read a delivered slot [Unix s]. Raises StateError if its orders or its carbon are not there."""
    clock, members = community.clock, community.chart.members
    traded = store.trading(slot, members)
    if traded is None:
        raise StateError(f"{store.path}: orders of {time_text(slot)} are gone; use a new --state folder")
    orders, _, positions = traded
    return SlotBook(
        readings=store.readings(slot, members),
        positions=positions,
        postings=store.postings(slot),
        certificates=store.certificates(slot),
        footprints=store.footprints(slot),
        levied=store.levied(slot),
        accepted=store.accepted(slot, orders, clock.number(slot)),
        notes=store.credit_notes(slot),
    )
