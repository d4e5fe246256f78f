"""From a table and its profile to rows of a meter, a time and numbers: whatever way the file is laid out.

The outcome has the columns row, meter (null where the file names none), start [Unix s], millionths of the unit for each
register, and quality. Numbers are not converted here.
"""

from __future__ import annotations

import operator
import re
from functools import reduce
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec.structs import replace

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.core.tables import ReadingQuality
from transactive.metering.exports import words
from transactive.metering.exports.heads import with_head
from transactive.metering.exports.profile import Profile, RegisterRule
from transactive.metering.exports.sums import without_totals
from transactive.metering.exports.times import NUMBER, START, TIME_OF_DAY, with_slots
from transactive.tabular.decimals import is_empty, millionths
from transactive.tabular.sheets import Sheet
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

METER, QUALITY = "meter", "quality"
CLOCK = re.compile(r"\d[AB]?(?:[:.]\d\d| ?h)")
"""What the name of a column has in it that is a time of the day, and no number of an hour."""
BEGIN = re.compile(r"(\d{1,2})[AB]?(?: ?[:.h] ?(\d\d))?")
"""Hour and minute at which a column of a day begins."""


def lay_out(sheet: Sheet, profile: Profile, expected: int | None = None) -> tuple[pl.DataFrame, int, Profile]:
    """Rows of a table as its profile says, the length of a slot [s], and the profile with the names of this file.

    expected: length where the times do not tell it [s]. Raises DataError naming file, row and column.
    """
    sheet = with_head(sheet, profile.head) if profile.head else sheet
    profile = as_named(profile, sheet)
    frame = without_totals(sheet)
    if profile.day_rows:
        frame = _unpivoted(frame, sheet, profile)
    _refuse_missing(frame, sheet, profile)
    begun = profile.time and replace(profile.time, stamp="start") if _names_ends(sheet, profile) else profile.time
    frame, length = with_slots(frame, sheet, replace(profile, time=begun), expected)
    if any(rule.where or rule.meter for rule in profile.registers):
        return _stacked(frame, sheet, profile), length, profile
    return _side_by_side(frame, sheet, profile, profile.registers), length, profile


def _starred(rule: RegisterRule, sheet: Sheet) -> list[RegisterRule]:
    """A rule for each column whose name has the meter where the rule has a star; otherwise the rule itself."""
    if "*" not in rule.column:
        return [rule]
    before, after = (re.escape(part) for part in rule.column.split("*", 1))
    found = ((column, re.fullmatch(f"{before}(.*?){after}", column)) for column in sheet.columns)
    return [replace(rule, column=column, meter=match[1].strip()) for column, match in found if match]


def as_named(profile: Profile, sheet: Sheet) -> Profile:
    """A profile with the names of columns as this file writes them."""
    names = {words.plain(name): name for name in reversed(sheet.columns)}

    def name(wanted: str) -> str:
        return wanted if wanted in sheet.columns else names.get(words.plain(wanted), wanted)

    rules = [
        replace(rule, column=name(rule.column), where={name(k): v for k, v in rule.where.items()})
        for rule in (one for wanted in profile.registers for one in _starred(wanted, sheet))
        if not rule.optional or name(rule.column) in sheet.columns
    ]
    time, quality = profile.time, profile.quality
    return replace(
        profile,
        registers=tuple(rules),
        time=time
        and replace(
            time,
            columns=tuple(map(name, time.columns)),
            end=time.end and name(time.end),
            zone_column=time.zone_column and name(time.zone_column),
        ),
        meter=profile.meter and name(profile.meter),
        quality=quality and replace(quality, column=name(quality.column)),
    )


def column_of(register: str, reading: str) -> str:
    """Name of the column with the numbers of a register."""
    return f"{register} {reading}"


def _refuse_missing(frame: pl.DataFrame, sheet: Sheet, profile: Profile) -> None:
    wanted = [rule.column for rule in profile.registers] + [profile.meter, profile.quality and profile.quality.column]
    wanted += [name for rule in profile.registers for name in rule.where]
    for name in wanted:
        if name and name not in frame.columns:
            raise DataError(f"{sheet.name}: column {name} is missing; the file has {', '.join(sheet.columns[:12])}")


def _unpivoted(frame: pl.DataFrame, sheet: Sheet, profile: Profile) -> pl.DataFrame:
    """A row a slot from a row a day; a value that is not there has no row."""
    import polars as pl

    if profile.time is None:
        raise DataError(f"{sheet.name}: the profile has no [time]; name the column of the day")
    day = profile.time.columns[0]
    slots = _slots_of_day(sheet)
    kept = [name for name in frame.columns if name not in slots]
    long = frame.unpivot(slots, index=kept, variable_name="clock", value_name="value")
    if not any(CLOCK.search(name) for name in slots):
        there = long.filter(~is_empty(pl.col("value"), long.schema["value"]))
        return there.with_columns(pl.col("clock").str.extract(r"(\d+)\s*$").cast(pl.Int64).alias(NUMBER))
    clock = _begins(slots, at_end=_names_ends(sheet, profile))
    lacking = long["value"].is_null()
    if long.schema["value"] == pl.String:
        lacking = lacking | (long["value"].str.len_bytes() == 0).fill_null(value=True)
    return (long.filter(~lacking) if lacking.any() else long).with_columns(
        pl.concat_str(pl.col(day).str.strip_chars(), pl.col("clock").replace_strict(clock), separator=" ").alias(day)
    )


def _slots_of_day(sheet: Sheet) -> list[str]:
    """The columns of a table with a row a day that are its slots."""
    return [name for name in sheet.columns if TIME_OF_DAY.match(name.strip())]


def _names_ends(sheet: Sheet, profile: Profile) -> bool:
    """Whether the columns of a day name the ends of its slots; a midnight before all others ends the day before."""
    if not profile.day_rows or profile.time is None or profile.time.stamp == "start":
        return False
    slots = _slots_of_day(sheet)
    return bool(slots) and all(CLOCK.search(name) and "-" not in name for name in slots) and minute_of(slots[0]) > 0


def _begins(names: list[str], *, at_end: bool) -> dict[str, str]:
    """The time at which each column of a day begins. at_end: names are those of the ends."""
    minutes = {name: minute_of(name) for name in names}
    if at_end:
        step = min(after - before for before, after in pairwise(sorted(set(minutes.values()))))
        if not minutes[names[-1]]:  # midnight behind all others ends the day
            minutes[names[-1]] = DAY // 60
        minutes = {name: minute - step for name, minute in minutes.items()}
    return {name: f"{minute // 60:02d}:{minute % 60:02d}" for name, minute in minutes.items()}


def minute_of(name: str) -> int:
    """The minute of the day at which a column of a day begins, as its name writes it."""
    found = BEGIN.match(name.strip())
    return int(found[1]) * 60 + int(found[2] or 0) if found else 0


def _numbers(frame: pl.DataFrame, rule: RegisterRule, sheet: Sheet, profile: Profile) -> pl.Series:
    """Millionths of a column's unit; what is neither a number nor empty is refused."""
    import polars as pl

    values = frame[rule.column]
    number = millionths(values, comma_parts_columns=not sheet.decimal_comma)
    if number.null_count() > values.null_count():
        missing = [*words.TOTAL, *(profile.quality.missing if profile.quality else ())]
        bad = frame.filter(number.is_null() & ~frame.select(is_empty(pl.col(rule.column), values.dtype)).to_series())
        bad = bad.filter(~pl.col(rule.column).cast(pl.String).is_in(missing))
        if len(bad):
            first = bad.row(0, named=True)
            raise DataError(
                f"{sheet.name}: row {first[ROW]}: {rule.column} = {first[rule.column]!r}: not a number, or none that a"
                " meter shows"
            )
    return number


def _side_by_side(
    frame: pl.DataFrame, sheet: Sheet, profile: Profile, rules: tuple[RegisterRule, ...], meter: str | None = None
) -> pl.DataFrame:
    """Columns of numbers beside each other; those of one register are added up."""
    import polars as pl

    columns: dict[str, list[pl.Series]] = {}
    for rule in rules:
        key = column_of(rule.register, rule.reading) + f" {rule.unit}"
        columns.setdefault(key, []).append(_numbers(frame, rule, sheet, profile))
    added = [
        (parts[0] if len(parts) == 1 else reduce(operator.add, parts)).alias(key) for key, parts in columns.items()
    ]
    named = (
        pl.lit(meter, pl.String)
        if meter
        else pl.lit(_bare_names(frame[profile.meter]))
        if profile.meter
        else pl.lit(None, pl.String)
    )
    return frame.select(ROW, named.alias(METER), START, *added, _quality(profile).alias(QUALITY))


def _bare_names(values: pl.Series) -> pl.Series:
    """Names of meters without what spreadsheets put around them."""
    import polars as pl

    names = values.cast(pl.String)
    once, around = names.unique().drop_nulls(), ' ="'
    return names if (once == once.str.strip_chars(around)).all() else names.str.strip_chars(around)


def _quality(profile: Profile) -> pl.Expr:
    import polars as pl

    if profile.quality is None:
        return pl.lit(int(ReadingQuality.METERED), pl.Int64)
    measured = pl.col(profile.quality.column).fill_null("").str.strip_chars().is_in(list(profile.quality.metered))
    return pl.when(measured).then(int(ReadingQuality.METERED)).otherwise(int(ReadingQuality.ESTIMATED)).cast(pl.Int64)


def _stacked(frame: pl.DataFrame, sheet: Sheet, profile: Profile) -> pl.DataFrame:
    """Registers that stand in rows of their own, or meters that have columns of their own, laid beside each other."""
    import polars as pl

    parts = []
    for where, meter in dict.fromkeys((tuple(rule.where.items()), rule.meter) for rule in profile.registers):
        rules = tuple(rule for rule in profile.registers if (tuple(rule.where.items()), rule.meter) == (where, meter))
        rows = frame
        for column, values in where:
            rows = rows.filter(pl.col(column).str.strip_chars().is_in(list(values)))
        if where:  # the same line twice counts once; of two tariffs each has its line
            alike = [name for name in rows.columns if name != ROW]
            rows = rows.unique(alike, keep="first", maintain_order=True)
        if len(rows):
            parts.append(_side_by_side(rows, sheet, profile, rules, meter))
    if not parts:
        wanted = "; ".join(f"{k} = {' or '.join(v)}" for rule in profile.registers for k, v in rule.where.items())
        raise DataError(f"{sheet.name}: no row has {wanted}; it is an export of something else")
    stacked = pl.concat(parts, how="diagonal")
    if not any(rule.where for rule in profile.registers):
        return stacked
    numbers = [name for name in stacked.columns if name not in (METER, START, ROW, QUALITY)]
    sums = (pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in numbers)
    return stacked.group_by([METER, START], maintain_order=True).agg(pl.col(ROW).min(), *sums, pl.col(QUALITY).max())
