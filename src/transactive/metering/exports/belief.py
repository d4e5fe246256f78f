"""What the reader believes of a file, in figures that a person can check before money depends on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec

from transactive.core.slots import DAY, HOUR, time_text
from transactive.core.tables import ReadingQuality
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.reader import Export
from transactive.metering.exports.registers import is_net
from transactive.metering.exports.times import START
from transactive.tabular.moments import OFFSET

if TYPE_CHECKING:
    import polars as pl

HOME_W = (10, 20_000)
"""Mean power of a home or a shop [W]; a mean outside is more likely another unit."""


class RegisterBelief(msgspec.Struct, frozen=True):
    """One register: from which columns, and what a meter of it counts. mean_w, peak_w: of all meters, of one slot."""

    register: str
    columns: tuple[str, ...]
    unit: str
    reading: str
    energy_wh: int
    mean_w: int
    peak_w: int
    doubtful: bool


class ClockChange(msgspec.Struct, frozen=True):
    """A day on which the clock is changed: slots that it has, and slots of it that the file has for every meter."""

    day: str
    slots: int
    found: int


class Belief(msgspec.Struct, frozen=True):
    """All that was understood of a file. gaps: slots of a meter that are missing between its first and last."""

    file: str
    profile: str
    title: str
    grade: str
    times: tuple[str, ...]
    zone: str
    stamp: str
    slot_minutes: int
    first_slot: str
    end: str
    slots: int
    meters: tuple[str, ...]
    registers: tuple[RegisterBelief, ...]
    gaps: int
    first_gap: str
    doubles: int
    estimated: int
    clock_changes: tuple[ClockChange, ...]


def believed(export: Export) -> Belief:
    """What was read, in figures; nothing in it is needed to read again."""
    import polars as pl

    frame, profile = export.frame, export.profile
    first, last = (int(value) for value in (frame[START].min(), frame[START].max()))  # type: ignore[arg-type]
    meters = tuple(sorted(frame[METER].fill_null("").unique().to_list()))
    gaps, first_gap = _gaps(export)
    rule = profile.time
    return Belief(
        file=export.name,
        profile=export.profile_name,
        title=profile.title,
        grade=profile.grade,
        times=rule.columns if rule else (),
        zone=(rule.zone or "in the file") if rule else "in the file",
        stamp=rule.stamp if rule else "start",
        slot_minutes=export.length // 60,
        first_slot=time_text(first),
        end=time_text(last + export.length),
        slots=(last - first) // export.length + 1,
        meters=meters,
        registers=tuple(_register(export, register) for register in export.registers),
        gaps=gaps,
        first_gap=first_gap,
        doubles=export.doubles,
        estimated=int((frame[QUALITY] != int(ReadingQuality.METERED)).sum()),
        clock_changes=tuple(_changes(frame.select(pl.col(START)), export, first, last)),
    )


def _register(export: Export, register: str) -> RegisterBelief:
    """Where a register comes from, and whether its power is one of a home."""
    energy = export.frame[register].drop_nulls()
    rules = [rule for rule in export.profile.registers if rule.register == register]
    signed = register == "consumption" and is_net(export)
    mean = int(energy.sum()) * HOUR // (export.length * max(len(energy), 1))
    peak = int(energy.max() or 0) * HOUR // export.length  # type: ignore[arg-type]
    used = register in ("import", "consumption") and not signed
    return RegisterBelief(
        register="net" if signed else register,
        columns=tuple(dict.fromkeys(rule.column for rule in rules)),
        unit=rules[0].unit if rules else "Wh",
        reading=rules[0].reading if rules else "energy",
        energy_wh=int(energy.sum()),
        mean_w=mean,
        peak_w=peak,
        doubtful=used and not HOME_W[0] <= mean <= HOME_W[1],
    )


def _gaps(export: Export) -> tuple[int, str]:
    """Slots of a meter that are missing between its first and last, or have no value, and where the first is."""
    import polars as pl

    has = [(pl.col(name).count().over(METER) > 0) & pl.col(name).is_null() for name in export.registers]
    frame = export.frame.sort(METER, START).with_columns(
        (pl.col(START).shift(-1).over(METER) - pl.col(START)).fill_null(export.length).alias("step"),
        pl.any_horizontal(has).alias("empty"),
    )
    holes = frame.filter((pl.col("step") > export.length) | pl.col("empty"))
    if not len(holes):
        return 0, ""
    missing = int((holes["step"] // export.length - 1).sum()) + int(holes["empty"].sum())
    at = holes.row(0, named=True)
    return missing, f"{at[METER] or 'the meter'} {'at' if at['empty'] else 'after'} {time_text(at[START])}"


def _changes(starts: pl.DataFrame, export: Export, first: int, last: int) -> list[ClockChange]:
    """Days in the file on which the clock of its zone is changed, with their slots."""
    rule = export.profile.time
    if rule is None or not rule.zone or OFFSET.match(rule.zone):
        return []
    zone, found = ZoneInfo(rule.zone), []
    there = set(starts[START].unique().to_list())
    day = datetime.fromtimestamp(first, UTC).astimezone(zone).replace(hour=0, minute=0, second=0)
    while day.timestamp() <= last:
        after = (day.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
        begin, end = int(day.timestamp()), int(after.timestamp())
        if end - begin != DAY:
            count = sum(slot in there for slot in range(begin, end, export.length))
            found.append(ClockChange(day.strftime("%Y-%m-%d"), (end - begin) // export.length, count))
        day = after
    return found
