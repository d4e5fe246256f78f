"""A statement as a table: one row a slot, for spreadsheets, in UTC and local. What can be verified is the JSON."""

from __future__ import annotations

from datetime import tzinfo

from transactive.core.slots import local_text, time_text
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import StatementSlot
from transactive.insight.statements.totals import claimed_wh, offset_and_avoided
from transactive.tabular.spreadsheet import csv_text

COLUMNS = (
    *("slot_start", "slot_start_local"),
    *("consumption_wh", "import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh"),
    *("received_n", "paid_n", "claimed_wh", "location_mg", "market_mg", "unmatched_mg", "levy_n", "estimated"),
    *("offset_kg", "offset_n", "avoided_kg"),
)


def as_csv(statement: Statement, zone: tzinfo) -> str:
    """Slots of a statement as CSV with a head; Wh, n¤ and mg. zone: of the local times."""
    return csv_text(COLUMNS, (_row(statement.member.index, slot, zone) for slot in statement.slots))


def _row(member: int, slot: StatementSlot, zone: tzinfo) -> tuple[str | int, ...]:
    """One slot."""
    r = slot.registers
    received, paid = (sum(p[5] for p in slot.postings if p[side] == member) for side in (2, 1))
    return (
        *(
            time_text(slot.slot),
            local_text(slot.slot, zone),
            r.consumption_wh,
            r.import_wh,
            r.export_wh,
            r.generation_wh,
        ),
        *(r.charge_wh, r.discharge_wh, received, paid, claimed_wh(member, slot)),
        *(slot.location_mg, slot.market_mg, slot.unmatched_mg, slot.levy_n, int(slot.estimated)),
        *offset_and_avoided(member, slot),
    )
