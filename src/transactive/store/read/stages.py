"""Which stages slots have reached: cleared, delivered, committed."""

from __future__ import annotations

import json
from dataclasses import dataclass

import sqlalchemy as sa

from transactive.store.database import Database
from transactive.store.read.runs import Row
from transactive.store.schema import BLOCKS, CLEARINGS, FOOTPRINTS, ORDERS_AHEAD, READINGS

ENDED = "ended"
"""Setting: last slots of runs that were over and went on [Unix s], as a JSON list."""
STAGES = (CLEARINGS, READINGS, BLOCKS)


@dataclass(frozen=True, slots=True)
class RecordedBlock:
    """The block that committed a slot [Unix s], as the database has it."""

    slot: int
    number: int
    hash: bytes


def reached(store: Database, stage: int, since: int, most: int) -> list[int]:
    """First slots from `since` on that have reached a stage: 0 cleared, 1 delivered, 2 committed; at most so many."""
    slot = STAGES[stage].c.slot
    chosen = sa.select(slot).where(slot >= since).distinct().order_by(slot).limit(most)
    return [int(row["slot"]) for row in store.rows(chosen)]


def last_traded(store: Database) -> int:
    """Latest slot for which anything was traded [Unix s], 0 before the first."""
    latest = (store.rows(sa.select(sa.func.max(table.c.slot).label("last"))) for table in (CLEARINGS, ORDERS_AHEAD))
    return max(int(rows[0]["last"] or 0) for rows in latest)


def recorded_blocks(store: Database) -> list[RecordedBlock]:
    """Blocks of all slots that are noted as committed, oldest first."""
    rows = store.rows(sa.select(BLOCKS.c.slot, BLOCKS.c.number, BLOCKS.c.hash).order_by(BLOCKS.c.slot))
    return [RecordedBlock(row["slot"], row["number"], bytes.fromhex(row["hash"][2:])) for row in rows]


def newest_blocks(store: Database, most: int, until: int | None = None, *, with_netting: bool = False) -> list[Row]:
    """Blocks of committed slots, newest first, up to a slot [Unix s]; all, or those in which a netting was paid."""
    wanted = sa.select(BLOCKS).order_by(BLOCKS.c.slot.desc()).limit(most)
    if until is not None:
        wanted = wanted.where(BLOCKS.c.slot <= until)
    return store.rows(wanted.where(BLOCKS.c.netting_gas > 0) if with_netting else wanted)


def slot_of_block(store: Database, *, number: int | None = None, block_hash: str | None = None) -> int | None:
    """The newest slot [Unix s] that a block committed, by its number or its hash as 0x-hex; None for no such block."""
    same = BLOCKS.c.number == number if number is not None else BLOCKS.c.hash == block_hash
    rows = store.rows(sa.select(sa.func.max(BLOCKS.c.slot).label("slot")).where(same))
    return None if rows[0]["slot"] is None else int(rows[0]["slot"])


def last_delivered(store: Database) -> int | None:
    """Latest slot that was delivered [Unix s], None before the first."""
    slot = store.rows(sa.select(sa.func.max(FOOTPRINTS.c.slot).label("last")))[0]["last"]
    return None if slot is None else int(slot)


def ended_slots(store: Database) -> list[int]:
    """Last slots of runs in this state that were over before more readings came [Unix s], oldest first."""
    slots: list[int] = json.loads(store.setting(ENDED) or "[]")
    return slots
