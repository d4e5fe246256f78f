"""What the database knows of lines: loads, forecasts, and what was done for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from transactive.core.congestion import Measure
from transactive.store.databases.dialect import total
from transactive.store.read.runs import Reader, Row
from transactive.store.schema import CONGESTION, INTERVENTIONS, LINE_LOADS


def loads(reader: Reader, first: int, last: int) -> list[Row]:
    """What lines carried in delivered slots from `first` to `last`, by slot and line."""
    key = LINE_LOADS.primary_key.columns
    return reader.store.rows(sa.select(LINE_LOADS).where(LINE_LOADS.c.slot.between(first, last)).order_by(*key))


def forecasts(reader: Reader, first: int, last: int) -> dict[tuple[int, int], Row]:
    """The newest forecast of each slot and line: the one at its gate, or until that closes the day ahead's."""
    order = (CONGESTION.c.slot, CONGESTION.c.line, CONGESTION.c.ahead.desc())
    rows = reader.store.rows(sa.select(CONGESTION).where(CONGESTION.c.slot.between(first, last)).order_by(*order))
    return {(row["slot"], row["line"]): row for row in rows}


def interventions(reader: Reader, first: int, last: int) -> list[Row]:
    """What was done for lines in slots from `first` to `last`, newest first, with the line's load and price."""
    same = sa.and_(LINE_LOADS.c.slot == INTERVENTIONS.c.slot, LINE_LOADS.c.line == INTERVENTIONS.c.line)
    return reader.store.rows(
        sa.select(*INTERVENTIONS.c, LINE_LOADS.c.unlimited_wh, LINE_LOADS.c.price)
        .join(LINE_LOADS, same)
        .where(INTERVENTIONS.c.slot.between(first, last))
        .order_by(INTERVENTIONS.c.slot.desc(), INTERVENTIONS.c.line, INTERVENTIONS.c.kind)
    )


def sums(reader: Reader, last: int, lines: Mapping[Measure, Sequence[int]]) -> dict[int, Row]:
    """Slots, energy [Wh] and payments [n¤] of each kind of measure, up to a slot, over some lines for each kind.

    Slots are counted over all lines.
    """
    i = INTERVENTIONS.c
    told = sa.or_(*(sa.and_(i.kind == kind, i.line.in_(some)) for kind, some in lines.items()))
    totals = [total(sa.case((told, column), else_=0)).label(column.name) for column in (i.energy_wh, i.amount_n)]
    counted = sa.func.count(sa.distinct(i.slot)).label("slots")
    rows = reader.store.rows(sa.select(i.kind, counted, *totals).where(i.slot <= last).group_by(i.kind))
    nothing = {"slots": 0, "energy_wh": 0, "amount_n": 0}
    return {int(kind): nothing for kind in Measure} | {row["kind"]: row for row in rows}


def lines_over(reader: Reader) -> list[Row]:
    """Lines that passed their limits: in how many slots, by how much [Wh], and when last."""
    i = INTERVENTIONS.c
    sums = (
        sa.func.count().label("slots"),
        total(i.energy_wh).label("energy_wh"),
        sa.func.max(i.slot).label("last"),
    )
    return reader.store.rows(sa.select(i.line, *sums).where(i.kind == Measure.OPEN).group_by(i.line).order_by(i.line))
