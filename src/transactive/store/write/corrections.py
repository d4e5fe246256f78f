"""Corrected readings, written: those that wait, with the source that they come from, and those that a slot settled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from transactive.core.proofs.corrections import NUMBERS
from transactive.store.corrections import SOURCE, CorrectedSlot, ReadingSource, WaitingReading
from transactive.store.database import Database
from transactive.store.databases import dialect
from transactive.store.packed import PackedBlock, pack
from transactive.store.schema import CORRECTIONS, SETTINGS, SOURCES, WAITING, WITHHELD
from transactive.store.sealing import seal
from transactive.store.write.certificates import put_steps
from transactive.store.write.slot_rows import SlotRows


def take_up_source(
    store: Database, source: ReadingSource, waiting: Sequence[WaitingReading], without: str, **settings: str
) -> None:
    """Write a source with the corrections in it, and settings without the one named, in one transaction.

    A correction that waits already is replaced; the source's number is given here.
    """
    with store.transaction() as connection:
        number = int(connection.scalar(sa.select(sa.func.count()).select_from(SOURCES)) or 0)
        connection.execute(sa.insert(SOURCES), [{"number": number, **source._asdict()}])
        dialect.upsert(connection, WAITING, [{**row._asdict(), "source": number} for row in waiting])
        dialect.upsert(connection, SETTINGS, [{"key": key, "value": value} for key, value in settings.items()])
        connection.execute(sa.delete(SETTINGS).where(SETTINGS.c.key == without))
        for table in (SOURCES, WAITING, SETTINGS):
            seal(connection, table)
    store.forget()


def put_corrected(connection: sa.Connection, rows: SlotRows, of: CorrectedSlot) -> None:
    """Write the corrections that a slot settled, which wait no more, and what of its own production it withheld.

    Raises StateError if somebody took a step with certificates since they were read.
    """
    member = np.flatnonzero(of.withheld_wh)
    if len(member):
        rows.put(WITHHELD, {"member": member, "energy_wh": of.withheld_wh[member]})
    if not of.taken:
        return
    settled, source = of.corrections, {(row.origin, row.member): row.source for row in of.taken}
    if len(settled):
        pairs = zip(settled.origin.tolist(), settled.member.tolist(), strict=True)
        columns = dict(zip(NUMBERS, settled.rows.T, strict=True))
        columns[SOURCE] = np.array([source[pair] for pair in pairs], np.int64)
        tail = settled.signature.astype(np.uint8).tobytes()
        rows.put_block(CORRECTIONS, pack(PackedBlock(columns, tail=tail)), corrections=len(settled))
    w = WAITING.c
    done = sa.delete(WAITING).where(w.origin == sa.bindparam("o"), w.member == sa.bindparam("m"))
    connection.execute(done, [{"o": row.origin, "m": row.member} for row in of.taken])
    seal(connection, WAITING)
    put_steps(connection, of.first_step, of.steps)
