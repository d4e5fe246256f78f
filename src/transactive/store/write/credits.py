"""Carbon credits, written: steps of their register, and what each slot says of them."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from transactive.carbon.credits.steps import AnyStep, encode
from transactive.core.credit_notes import Note, encode_note
from transactive.store.schema import CREDIT_LOG, CREDIT_NOTES
from transactive.store.sealing import seal
from transactive.store.write.slot_rows import clear_slot


def add_steps(connection: sa.Connection, steps: Sequence[AnyStep]) -> None:
    """Append steps to the log, within a transaction."""
    if steps:
        first = int(connection.scalar(sa.select(sa.func.count()).select_from(CREDIT_LOG)) or 0)
        rows = [
            {"number": number, "slot": step.at, "step": encode(step).decode()}
            for number, step in enumerate(steps, first)
        ]
        connection.execute(sa.insert(CREDIT_LOG), rows)
        seal(connection, CREDIT_LOG, {step.at for step in steps})


def put_notes(connection: sa.Connection, slot: int, notes: Sequence[Note]) -> None:
    """Write what a slot says of credits, replacing what an interrupted run left."""
    clear_slot(connection, CREDIT_NOTES, slot)
    if notes:
        rows = [
            {"slot": slot, "row": row, "member": note.account, "note": encode_note(note).decode()}
            for row, note in enumerate(notes)
        ]
        connection.execute(sa.insert(CREDIT_NOTES), rows)
    seal(connection, CREDIT_NOTES, [slot])
