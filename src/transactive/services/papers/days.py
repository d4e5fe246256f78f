"""The annex of a statement: its local days, or the slots of one that is shorter, each in a row."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from transactive.core.units import kwh_text, money_text
from transactive.insight.statements.statement import Statement
from transactive.insight.statements.statement_slot import StatementSlot
from transactive.insight.statements.totals import claimed_wh
from transactive.texts.formatting import Words

HEAD = ("Used", "From street", "To street", "Generated", "Claimed", "Received", "Paid", "kg CO₂e")
"""Columns beside the first: energy in kWh, certificates claimed in kWh, money, carbon by location."""
REGISTERS = ("consumption_wh", "import_wh", "export_wh", "generation_wh")


def annex(of: Statement, words: Words) -> Iterator[tuple[str, ...]]:
    """Rows of the annex, each with its day, or with its day and time."""
    if by_slot(of, words):
        for slot in of.slots:  # each, also of the hour that comes twice
            yield _moment(slot.slot, words), *_row(of.member.index, [slot])
        return

    def day(slot: StatementSlot) -> str:
        return f"{words.short_day(slot.slot)} {words.date(slot.slot)[:4]}"

    for name, slots in groupby(of.slots, key=day):
        yield name, *_row(of.member.index, list(slots))


def by_slot(of: Statement, words: Words) -> bool:
    """Whether a statement is of one local day, so that its slots are told one by one."""
    return of.end <= words.next_day(of.first_slot)


def _moment(at: int, words: Words) -> str:
    """A slot's start; where the clocks change that day, with its zone: two hours are called 02:00."""
    changes = words.zone_text(words.day_start(at)) != words.zone_text(words.next_day(at))
    return f"{words.moment(at)} {words.offset_text(at)}" if changes else words.moment(at)


def _row(member: int, slots: list[StatementSlot]) -> Iterator[str]:
    """Energy, money and carbon of some slots."""
    for name in REGISTERS:
        yield kwh_text(sum(getattr(slot.registers, name) for slot in slots), 3)
    yield kwh_text(sum(claimed_wh(member, slot) for slot in slots), 3)
    for side in (2, 1):
        yield money_text(sum(p[5] for slot in slots for p in slot.postings if p[side] == member), digits=4)
    yield f"{sum(slot.location_mg for slot in slots) // 1_000 / 1_000:,.3f}"
