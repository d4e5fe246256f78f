"""Carbon credits in the database: the log of their register, and what each slot says of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep, decode
from transactive.core.credit_notes import Need, Note, decode_note
from transactive.core.postings import PostingKind
from transactive.store.database import Database
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import CREDIT_LOG, CREDIT_NOTES, POSTINGS


def read_steps(connection: sa.Connection) -> list[AnyStep]:
    """All steps of the log, in order."""
    found = connection.execute(sa.select(CREDIT_LOG.c.step).order_by(CREDIT_LOG.c.number))
    return [decode(row[0]) for row in found]


def read_notes(connection: sa.Connection, slot: int) -> tuple[Note, ...]:
    """What a slot says of credits, in order."""
    wanted = sa.select(CREDIT_NOTES.c.note).where(CREDIT_NOTES.c.slot == slot).order_by(CREDIT_NOTES.c.row)
    return tuple(decode_note(row[0]) for row in connection.execute(wanted))


def newest_notes(store: Database, most: int, accounts: Sequence[int] | None) -> list[tuple[int, Note]]:
    """What newest slots say of credits beside needs, each with its slot, at most so many; of some accounts or all."""
    c = CREDIT_NOTES.c
    notes = sa.select(c.slot, c.note).where(~_is_need()).order_by(c.slot.desc(), c.row).limit(most)
    if accounts is not None:
        notes = notes.where(c.member.in_(accounts))
    return [(row["slot"], decode_note(row["note"])) for row in store.rows(notes)]


def paid_for(store: Database, accounts: Sequence[int] | None) -> dict[int, tuple[int, int]]:
    """What was retired [kg] and what it cost [n¤] by who paid, of some accounts or all."""
    found: dict[int, tuple[int, int]] = {}
    names, kind = ("kind", "payer", "energy_wh", "amount_n"), PostingKind.OFFSET
    for _, columns in each_slot(store, POSTINGS, has(POSTINGS.c.kinds, kind), names=names):
        rows = np.flatnonzero(columns["kind"] == kind)
        for payer, kg, paid in zip(*(columns[name][rows].tolist() for name in names[1:]), strict=True):
            if accounts is None or payer in accounts:
                before = found.get(payer, (0, 0))
                found[payer] = before[0] + kg, before[1] + paid
    return dict(sorted(found.items()))


def uncovered(store: Database) -> dict[int, int]:
    """What the newest period left uncovered [mg], by account of who has a policy."""
    newest = sa.select(sa.func.max(CREDIT_NOTES.c.slot)).where(_is_need()).scalar_subquery()
    rows = store.rows(sa.select(CREDIT_NOTES.c.note).where(_is_need(), CREDIT_NOTES.c.slot == newest))
    needs = [decode_note(row["note"]) for row in rows]
    return {need.account: max(-need.ahead_mg, 0) for need in needs if isinstance(need, Need)}


def _is_need() -> sa.ColumnElement[bool]:
    """Whether a note says what a policy wanted covered."""
    return CREDIT_NOTES.c.note.contains('"what":"need"')
