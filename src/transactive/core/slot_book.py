"""Everything that one slot said: what members ordered, traded, metered, owe and caused."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from transactive.core.certificates import Certificates, Footprints
from transactive.core.credit_notes import Note, note_hash
from transactive.core.postings import Postings
from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.proofs.corrections import Corrections
from transactive.core.tables import Baseline, Clearing, Orders, Readings
from transactive.core.tariff import Tariff
from transactive.core.trades.delivery import Delivery
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray


@dataclass(frozen=True, slots=True, eq=False)
class SlotBook:
    """Tables of a delivered slot, as a run has them at hand or as its database keeps them.

    tariff: its levy is 0 where the database was read. levied: unmatched carbon [mg] and levy [n¤], posted or only
    shown, each (members,). accepted: signed orders with their receipts, where a chain has them. notes: what the slot
    says of carbon credits. corrections: corrected readings of earlier slots, settled in this one. is_void: whether its
    gate passed while nobody was there, and nobody has traded.
    """

    orders: Orders
    clearing: Clearing
    positions: Positions
    readings: Readings
    delivery: Delivery
    postings: Postings
    certificates: Certificates
    footprints: Footprints
    levied: tuple[IntArray, IntArray]
    tariff: Tariff
    baseline: Baseline
    accepted: Sequence[Accepted] = ()
    notes: Sequence[Note] = ()
    corrections: Corrections | None = None
    is_void: bool = False

    @property
    def slot(self) -> int:
        """Start of the slot [Unix s]."""
        return self.readings.slot

    def digest(self) -> bytes:
        """SHA-256 over orders, clearing, readings, postings (with the positions' prices), certificates and credits.

        Corrections come last, where there are any.
        """
        parts = (self.orders, self.clearing, self.readings, self.postings, self.certificates)
        told = [*(part.digest() for part in parts), *map(note_hash, self.notes)]
        if self.corrections is not None:
            told.append(self.corrections.digest())
        return hashlib.sha256(b"".join(told)).digest()
