"""What the database knows of carbon: by slot, by day, by source; of one member or of all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from transactive.core.certificates import CertificateState
from transactive.core.postings import PostingKind
from transactive.core.slots import DAY
from transactive.store.read.runs import CONSUMPTION, Reader, Row
from transactive.store.schema import CERTIFICATES, CLEARINGS, FOOTPRINTS, POSTINGS, READINGS

SUMS = ("location_mg", "market_mg", "unmatched_mg", "levy_n")


def by_slot(reader: Reader, first: int, last: int, member: int | None) -> list[Row]:
    """Consumption, footprints and levy of slots from `first` to `last`, and the grid's intensity."""
    sums = (sa.func.sum(READINGS.c[name]).label(name) for name in SUMS)
    statement = (
        sa.select(READINGS.c.slot, sa.func.sum(CONSUMPTION).label("consumption_wh"), *sums, CLEARINGS.c.grid_g_per_kwh)
        .join(CLEARINGS, CLEARINGS.c.slot == READINGS.c.slot)
        .where(READINGS.c.slot.between(first, last))
    )
    if member is not None:
        statement = statement.where(READINGS.c.member == member)
    return reader.store.rows(statement.group_by(READINGS.c.slot).order_by(READINGS.c.slot))


def by_day(reader: Reader, member: int | None) -> list[Row]:
    """The same by day, with the certificates claimed, the levy that came back and the credits retired."""
    day = (READINGS.c.slot - READINGS.c.slot % DAY).label("day")
    sums = (sa.func.sum(READINGS.c[name]).label(name) for name in SUMS)
    days = sa.select(day, sa.func.sum(CONSUMPTION).label("consumption_wh"), *sums)
    if member is not None:
        days = days.where(READINGS.c.member == member)
    claimed = _claimed(CERTIFICATES.c.slot - CERTIFICATES.c.slot % DAY, member)
    back_day = POSTINGS.c.slot - POSTINGS.c.slot % DAY
    back = sa.select(back_day.label("key"), sa.func.sum(POSTINGS.c.amount_n).label("amount_n"))
    back = back.where(POSTINGS.c.kind == PostingKind.LEVY_RETURN)
    if member is not None:
        back = back.where(POSTINGS.c.payee == member)
    rows = reader.store.rows
    returned = {row["key"]: row["amount_n"] for row in rows(back.group_by(back_day))}
    matched = {row["key"]: row["energy_wh"] for row in rows(claimed)}
    retired = retired_by_day(reader, member)
    return [
        {
            **row,
            "claimed_wh": matched.get(row["day"], 0),
            "returned_n": returned.get(row["day"], 0),
            "retired_kg": retired.get(row["day"], (0, 0))[0],
            "retired_n": retired.get(row["day"], (0, 0))[1],
        }
        for row in rows(days.group_by(day).order_by(day))
    ]


def by_source(
    reader: Reader, member: int | None, span: tuple[int, int] | None = None
) -> dict[tuple[bool, bool], tuple[int, int]]:
    """Wh and mg claimed, by whether from a neighbour and whether from storage; in slots of a span, or the whole run."""
    c = CERTIFICATES.c
    other, storage = (c.device // 2 != c.owner).label("other"), (c.device % 2 == 1).label("storage")
    statement: sa.Select[*tuple[Any, ...]] = sa.select(
        other, storage, sa.func.sum(c.energy_wh).label("wh"), sa.func.sum(c.market_mg).label("mg")
    ).where(c.state == CertificateState.CLAIMED)
    if member is not None:
        statement = statement.where(c.owner == member)
    if span is not None:
        statement = statement.where(c.slot.between(*span))
    rows = reader.store.rows(statement.group_by(other, storage))
    return {(bool(row["other"]), bool(row["storage"])): (row["wh"], row["mg"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Matched:
    """What the scores of a run rest on [Wh]: used, claimed, left unclaimed by own devices; with the grid's part.

    free_ppm_wh: carbon-free ppm of the residual mix times what was used beyond claims, None where a slot does not know
    it. grid, residual: both mixes over the run as mg and Wh.
    """

    used_wh: int
    claimed_wh: int
    left_wh: int
    free_ppm_wh: int | None
    grid: tuple[int, int]
    residual: tuple[int, int]


def matched(reader: Reader, member: int | None) -> Matched:
    """Sums of the whole run for one member or all."""
    r, c, f = READINGS.c, CERTIFICATES.c, FOOTPRINTS.c
    whose = sa.true() if member is None else r.member == member
    used = sa.select(sa.func.sum(CONSUMPTION).label("wh"), sa.func.sum(CONSUMPTION * f.free_ppm).label("free"))
    used = used.join(FOOTPRINTS, f.slot == r.slot).where(whose)
    owner = sa.true() if member is None else c.owner == member
    mine = sa.true() if member is None else c.device // 2 == member
    claimed = sa.select(sa.func.sum(c.energy_wh).label("wh"), sa.func.sum(c.energy_wh * f.free_ppm).label("free"))
    claimed = claimed.join(FOOTPRINTS, f.slot == c.slot).where(c.state == CertificateState.CLAIMED, owner)
    left = sa.select(sa.func.sum(c.energy_wh).label("wh")).where(c.state == CertificateState.HELD, mine)
    sums = (sa.func.sum(f[name]).label(name) for name in ("grid_mg", "grid_wh", "residual_mg", "residual_wh"))
    mixes = sa.select(sa.func.min(f.free_ppm).label("least"), *sums)
    u, m, x, g = ({k: v or 0 for k, v in reader.store.rows(s)[0].items()} for s in (used, claimed, left, mixes))
    free = u["free"] - m["free"] if g["least"] >= 0 else None
    grid, residual = (g["grid_mg"], g["grid_wh"]), (g["residual_mg"], g["residual_wh"])
    return Matched(u["wh"], m["wh"], x["wh"], free, grid, residual)


def by_importer(reader: Reader) -> list[tuple[int, int]]:
    """What each member imported in the whole run [Wh], and its carbon by the mixes of its node [µg], in their order."""
    r = READINGS.c
    sums = sa.func.sum(r.import_wh).label("wh"), sa.func.sum(r.import_wh * r.mix_mg_per_kwh).label("ug")
    rows = reader.store.rows(sa.select(*sums).group_by(r.member).order_by(r.member))
    return [(row["wh"], row["ug"]) for row in rows]


def _claimed(key: sa.ColumnElement[int], member: int | None) -> sa.Select[*tuple[Any, ...]]:
    """Wh claimed by a key of the bundles' slots."""
    c = CERTIFICATES.c
    statement = sa.select(key.label("key"), sa.func.sum(c.energy_wh).label("energy_wh"))
    statement = statement.where(c.state == CertificateState.CLAIMED)
    if member is not None:
        statement = statement.where(c.owner == member)
    return statement.group_by(key)


def retired_by_day(reader: Reader, member: int | None) -> dict[int, tuple[int, int]]:
    """Carbon credits retired [kg] and what they cost [n¤] by day, of all or of one member."""
    p, day = POSTINGS.c, (POSTINGS.c.slot - POSTINGS.c.slot % DAY).label("day")
    kg, paid = sa.func.sum(p.energy_wh).label("kg"), sa.func.sum(p.amount_n).label("paid_n")
    statement = sa.select(day, kg, paid).where(p.kind == PostingKind.OFFSET).group_by(day)
    if member is not None:
        statement = statement.where(p.payer == member)
    return {row["day"]: (row["kg"], row["paid_n"]) for row in reader.store.rows(statement)}
