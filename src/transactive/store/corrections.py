"""Corrected readings in the database: those that wait for a slot, those that slots settled, and all sources."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from transactive.core.proofs.corrections import NUMBERS, SIGNATURE_BYTES, Corrections
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.store.database import Database
from transactive.store.databases.dialect import total
from transactive.store.packed import unpack
from transactive.store.read.certificates import LoggedStep
from transactive.store.schema import CORRECTIONS, SOURCES, WAITING, WITHHELD

SOURCE = "source"
"""Column of a block with the number of the source of each corrected reading."""


class WaitingReading(NamedTuple):
    """A corrected reading that was accepted, of a member in a slot [Unix s]: registers [Wh], and number of its source.

    metered: 1, or 0 for one that was estimated again.
    """

    origin: int
    member: int
    import_wh: int
    export_wh: int
    generation_wh: int
    metered: int = 1
    source: int = 0


class ReadingSource(NamedTuple):
    """Where readings came from: span [Unix s], when it was taken up [Unix s], name and SHA-256 of the file."""

    first: int
    until: int
    read_at: int
    name: str
    digest: str


def sources(store: Database) -> list[ReadingSource]:
    """All sources, oldest first."""
    rows = store.rows(sa.select(SOURCES).order_by(SOURCES.c.number))
    return [ReadingSource(*(row[name] for name in ReadingSource._fields)) for row in rows]


def waiting(store: Database) -> list[WaitingReading]:
    """Corrected readings that no slot has settled yet, oldest first."""
    rows = store.rows(sa.select(WAITING).order_by(WAITING.c.origin, WAITING.c.member))
    return [WaitingReading(*(int(row[name]) for name in WaitingReading._fields)) for row in rows]


@dataclass(frozen=True, slots=True, eq=False)
class CorrectedSlot:
    """What a slot did for earlier ones.

    taken: what waits no more. withheld_wh: production without certificates, (members,). steps: with certificates, from
    number `first_step` of their log on. community_n, network_n: what of late readings is theirs [n¤].
    """

    corrections: Corrections
    taken: Sequence[WaitingReading]
    withheld_wh: IntArray
    steps: Sequence[LoggedStep] = ()
    first_step: int = 0
    community_n: int = 0
    network_n: int = 0

    @property
    def places(self) -> list[tuple[int, int]]:
        """Slots that are metered or closed now, each with its member."""
        return [(row.origin, row.member) for row in self.taken]

    @property
    def lines(self) -> Corrections | None:
        """The corrections, None without any."""
        return self.corrections if len(self.corrections) else None


def settled_in(store: Database, slot: int) -> Corrections | None:
    """Corrections that a slot settled, None without any."""
    found = store.rows(sa.select(CORRECTIONS.c.block).where(CORRECTIONS.c.slot == slot))
    return _unpacked(store, slot, found[0]["block"]) if found else None


def all_settled(store: Database) -> Iterator[Corrections]:
    """Corrections slot by slot, as far as there are any."""
    for row in store.rows(sa.select(CORRECTIONS.c.slot, CORRECTIONS.c.block).order_by(CORRECTIONS.c.slot)):
        yield _unpacked(store, row["slot"], row["block"])


def used_wh(store: Database, origin: int) -> dict[int, list[int]]:
    """What members used in a slot by its corrected readings [Wh], oldest first; who has none is not there."""
    found: dict[int, list[int]] = {}
    for settled in all_settled(store):
        for row in np.flatnonzero(settled.origin == origin).tolist():
            found.setdefault(int(settled.member[row]), []).append(int(settled.now_used_wh[row]))
    return found


def shortfall_wh(store: Database, members: int) -> IntArray:
    """Certificates that left each member beyond what it made, and are still to be taken from it [Wh], (members,)."""
    owed = np.zeros(members, np.int64)
    for settled in all_settled(store):
        owed += settled.owed_wh(members)
    w = WITHHELD.c
    for row in store.rows(sa.select(w.member, total(w.energy_wh).label("wh")).group_by(w.member)):
        owed[row["member"]] -= row["wh"]
    return owed


def _unpacked(store: Database, slot: int, data: bytes) -> Corrections:
    block = unpack(data, f"{store.path}: corrections of {time_text(slot)}")
    rows = np.stack([block.columns[name] for name in NUMBERS], axis=1)
    signatures = np.frombuffer(block.tail, np.uint8).reshape(-1, SIGNATURE_BYTES).astype(np.int64)
    return Corrections.of(slot, rows, signatures)
