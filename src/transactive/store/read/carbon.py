"""What the database knows of carbon: by slot, by day, by source; of one member or of all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
import sqlalchemy as sa

from transactive.core.certificates import CertificateState
from transactive.core.postings import PostingKind
from transactive.core.units import BoolArray, IntArray
from transactive.store.databases.dialect import total
from transactive.store.read.runs import CONSUMPTION, REGISTERS, Reader, Row, consumption_wh
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import CERTIFICATES, CLEARINGS, FOOTPRINTS, POSTINGS, READINGS

SUMS = ("location_mg", "market_mg", "unmatched_mg", "levy_n")
FOR_EVER = 1 << 62


def by_slot(reader: Reader, first: int, last: int, member: int | None) -> list[Row]:
    """Consumption, footprints and levy of slots from `first` to `last`, and the grid's intensity."""
    r, c = READINGS.c, CLEARINGS.c
    inside = r.slot.between(first, last)
    if member is None:
        sums = (CONSUMPTION.label("consumption_wh"), *(r[name] for name in SUMS))
        whole = sa.select(r.slot, *sums, c.grid_g_per_kwh).join(CLEARINGS, c.slot == r.slot)
        return reader.store.rows(whole.where(inside).order_by(r.slot))
    intensities = reader.store.rows(sa.select(c.slot, c.grid_g_per_kwh).where(c.slot.between(first, last)))
    grid = {row["slot"]: row["grid_g_per_kwh"] for row in intensities}
    return [
        {
            "slot": slot,
            "consumption_wh": int(consumption_wh(columns)[member]),
            **{name: int(columns[name][member]) for name in SUMS},
            "grid_g_per_kwh": grid[slot],
        }
        for slot, columns in each_slot(reader.store, READINGS, inside, names=(*REGISTERS, *SUMS))
    ]


def by_day(reader: Reader, member: int | None, day_of: Callable[[int], int]) -> list[Row]:
    """The same by day, with the certificates claimed, the levy that came back and the credits retired.

    day_of: start of the day that a time is in [Unix s].
    """
    names = ("consumption_wh", *SUMS)
    days: dict[int, dict[str, int]] = {}
    for row in by_slot(reader, 0, FOR_EVER, member):
        of_day = days.setdefault(day_of(row["slot"]), dict.fromkeys(names, 0))
        for name in names:
            of_day[name] += row[name]
    claimed, returned = _claimed_by_day(reader, member, day_of), _returned_by_day(reader, member, day_of)
    retired = retired_by_day(reader, member, day_of)
    return [
        {
            "day": day,
            **sums,
            "claimed_wh": claimed[day],
            "returned_n": returned[day],
            "retired_kg": retired.get(day, (0, 0))[0],
            "retired_n": retired.get(day, (0, 0))[1],
        }
        for day, sums in sorted(days.items())
    ]


def _claimed_by_day(reader: Reader, member: int | None, day_of: Callable[[int], int]) -> Counter[int]:
    """Certificates claimed [Wh] by day, of all or of one owner."""
    days: Counter[int] = Counter()
    for slot, columns in _bundles(reader, CertificateState.CLAIMED):
        mine = _of(columns["owner"], member) & (columns["state"] == CertificateState.CLAIMED)
        days[day_of(slot)] += int(columns["energy_wh"][mine].sum())
    return days


def _returned_by_day(reader: Reader, member: int | None, day_of: Callable[[int], int]) -> Counter[int]:
    """Levy that came back [n¤] by day, to all or to one."""
    days: Counter[int] = Counter()
    names, kind = ("kind", "payee", "amount_n"), PostingKind.LEVY_RETURN
    for slot, columns in each_slot(reader.store, POSTINGS, has(POSTINGS.c.kinds, kind), names=names):
        mine = _of(columns["payee"], member) & (columns["kind"] == kind)
        days[day_of(slot)] += int(columns["amount_n"][mine].sum())
    return days


def _bundles(
    reader: Reader, *states: CertificateState, span: tuple[int, int] | None = None
) -> Iterator[tuple[int, dict[str, IntArray]]]:
    """Bundles of slots that hold some of these states, slot by slot; of a span, or the whole run."""
    c = CERTIFICATES.c
    inside = () if span is None else (c.slot.between(*span),)
    return each_slot(reader.store, CERTIFICATES, has(c.states, *states), *inside)


def _of(column: IntArray, member: int | None) -> BoolArray:
    """Rows of one member, or all."""
    mine: BoolArray = np.ones(len(column), np.bool_) if member is None else column == member
    return mine


def by_source(
    reader: Reader, member: int | None, span: tuple[int, int] | None = None
) -> dict[tuple[bool, bool], tuple[int, int]]:
    """Wh and mg claimed, by whether from a neighbour and whether from storage; in slots of a span, or the whole run."""
    found: dict[tuple[bool, bool], tuple[int, int]] = {}
    for _, columns in _bundles(reader, CertificateState.CLAIMED, span=span):
        mine = _of(columns["owner"], member) & (columns["state"] == CertificateState.CLAIMED)
        other, storage = columns["device"] // 2 != columns["owner"], columns["device"] % 2 == 1
        for key in product((False, True), (False, True)):
            rows = mine & (other == key[0]) & (storage == key[1])
            if rows.any():
                wh, mg = found.get(key, (0, 0))
                found[key] = wh + int(columns["energy_wh"][rows].sum()), mg + int(columns["market_mg"][rows].sum())
    return found


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
    f = FOOTPRINTS.c
    known = {row["slot"]: row["free_ppm"] for row in reader.store.rows(sa.select(f.slot, f.free_ppm))}
    used = {row["slot"]: row["consumption_wh"] for row in by_slot(reader, 0, FOR_EVER, member)}
    claimed: Counter[int] = Counter()
    left = 0
    for slot, columns in _bundles(reader, CertificateState.CLAIMED, CertificateState.HELD):
        energy, state = columns["energy_wh"], columns["state"]
        mine = _of(columns["owner"], member) & (state == CertificateState.CLAIMED)
        claimed[slot] += int(energy[mine].sum())
        own = _of(columns["device"] // 2, member) & (state == CertificateState.HELD)
        left += int(energy[own].sum())
    free = sum((used[slot] - claimed[slot]) * known[slot] for slot in used)
    sums = (total(f[name]).label(name) for name in ("grid_mg", "grid_wh", "residual_mg", "residual_wh"))
    mixes = {name: value or 0 for name, value in reader.store.rows(sa.select(*sums))[0].items()}
    grid, residual = (mixes["grid_mg"], mixes["grid_wh"]), (mixes["residual_mg"], mixes["residual_wh"])
    whole = min(known.values(), default=0) >= 0
    return Matched(sum(used.values()), claimed.total(), left, free if whole else None, grid, residual)


def by_importer(reader: Reader) -> list[tuple[int, int]]:
    """What each member imported in the whole run [Wh], and its carbon by the mixes of its node [µg], in their order."""
    wh, ug = np.zeros(0, np.int64), np.zeros(0, np.int64)
    for _, columns in each_slot(reader.store, READINGS, names=("import_wh", "mix_mg_per_kwh")):
        wh = columns["import_wh"] + (wh if len(wh) else 0)
        ug = columns["import_wh"] * columns["mix_mg_per_kwh"] + (ug if len(ug) else 0)
    return list(zip(wh.tolist(), ug.tolist(), strict=True))


def retired_by_day(reader: Reader, member: int | None, day_of: Callable[[int], int]) -> dict[int, tuple[int, int]]:
    """Carbon credits retired [kg] and what they cost [n¤] by day, of all or of one member."""
    days: dict[int, tuple[int, int]] = {}
    names, kind = ("kind", "payer", "energy_wh", "amount_n"), PostingKind.OFFSET
    for slot, columns in each_slot(reader.store, POSTINGS, has(POSTINGS.c.kinds, kind), names=names):
        mine = _of(columns["payer"], member) & (columns["kind"] == kind)
        if mine.any():
            day = day_of(slot)
            kg, paid = days.get(day, (0, 0))
            days[day] = kg + int(columns["energy_wh"][mine].sum()), paid + int(columns["amount_n"][mine].sum())
    return days
