"""When each row of a table was measured: the start of its slot in Unix seconds, whatever the file writes."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import numpy as np

from transactive.core.errors import DataError, Unsaid
from transactive.core.slots import DAY, HOUR
from transactive.metering.exports.profile import Profile, TimeRule
from transactive.metering.exports.sums import without_remarks
from transactive.tabular.local_times import to_utc, without_idle_hours
from transactive.tabular.moments import (
    OFFSET,
    complaint,
    date_part,
    day_month_order,
    looks_like_time,
    parsed,
    read_at_once,
    unix_seconds,
)
from transactive.tabular.sheets import Sheet
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

START, UNTIL, ELAPSED, WRITTEN, NUMBER = "start", "until", "elapsed", "written", "number"
FIRST_SECOND = 100_000_000
"""Unix times below this are years before meters, and numbers of something else."""
LONGEST_DAY = 25
"""Hours of the day on which the clock goes back."""
FEW_TIMES = 4
"""Steps from time to time that a file must have to show the length of its slots."""
INTERVAL = re.compile(r"^(.*\d{1,2}:\d{2}.*?) +(?:[-–]|to|bis|tot) +(.*\d{1,2}:\d{2}.*)$")
"""A slot in words: from when until when."""
TIME_OF_DAY = re.compile(
    r"^(\d{1,2}[AB]?(?:[:.]\d{2}| ?h(?: ?\d{2})?))(:\d{2})?( ?- ?\d{1,2}[AB]?[:.]\d{2}(:\d{2})?)?( #2)?$"
    r"|^(h|hour|ora|hora|q)? ?0*(\d{1,2}|100)$",
    re.IGNORECASE,
)
"""A column that is a time of the day; one that comes twice is the hour that the clock repeats."""


def with_slots(frame: pl.DataFrame, sheet: Sheet, profile: Profile, expected: int | None) -> tuple[pl.DataFrame, int]:
    """Rows with START, the beginning of the slot [Unix s], and the length of a slot [s].

    expected: length of a slot where the file has too few times to tell [s]. Raises DataError naming file, row and
    column, or what has to be said of the zone.
    """
    import polars as pl

    rule = profile.time
    if rule is None:
        raise DataError(f"{sheet.name}: the profile has no [time]; name the columns of date and time")
    for name in (*rule.columns, rule.end, rule.zone_column):
        if name and name not in frame.columns:
            raise DataError(f"{sheet.name}: column {name} is missing; the file has {', '.join(sheet.columns[:12])}")
    frame, zoned, elapsed = _read(frame, sheet, rule)
    frame = _all_read(frame, sheet, profile, elapsed)
    length = _length(frame, rule, sheet, expected)
    if not zoned and rule.zone is None:
        raise Unsaid(
            f'{sheet.name}: {rule.columns[0]}: the time has no zone; say zone = "Europe/Vienna" or the like under'
            " [data], or --zone, or write it like 2017-06-05T00:00Z",
            "zone",
        )
    series = [
        *([profile.meter] if profile.meter else []),
        *dict.fromkeys(n for r in profile.registers for n in r.where),
    ]
    states = any(one.reading == "total" for one in profile.registers)  # read at a moment, which begins the next slot
    ends = (
        rule.stamp == "end" and elapsed is None and not states
    )  # the number of an hour names the hour, not its begin or end
    before = ends and not zoned and _labels_end(frame, rule)
    if before:
        frame = frame.with_columns(pl.col(START) - length)
    if elapsed is not None and rule.zone:
        frame = _numbered(frame, rule.zone, series, length, sheet.name)
    elif not zoned and rule.zone:
        frame = without_idle_hours(frame, START, rule.zone, [r.column for r in profile.registers])
        frame = to_utc(frame, START, rule.zone, series, sheet.name)
    if ends and not before:
        frame = frame.with_columns(pl.col(START) - length)
    return frame, length


def _all_read(frame: pl.DataFrame, sheet: Sheet, profile: Profile, elapsed: str | None) -> pl.DataFrame:
    """Rows whose time was read, without those that are no readings. Raises DataError for the first other one."""
    import polars as pl

    unread = pl.col(START).is_null() | (pl.col(elapsed).is_null() if elapsed else pl.lit(value=False))
    if len(bad := frame.filter(unread)):
        frame = without_remarks(frame, unread, {rule.column for rule in profile.registers})
        bad = frame.filter(unread)
    if len(bad) and profile.time:
        first, column = bad.row(0, named=True), profile.time.columns[0]
        why = complaint(first[column], profile.time.order or "ymd")
        raise DataError(f"{sheet.name}: row {first[ROW]}: {column} = {first[column]!r}: {why}")
    return frame


def _read(frame: pl.DataFrame, sheet: Sheet, rule: TimeRule) -> tuple[pl.DataFrame, bool, str | None]:
    """START as written, in seconds as if UTC; whether it has a zone; and a column of seconds that passed since."""
    import polars as pl

    first = rule.columns[0]
    if frame.schema[first] != pl.String:
        moment, zoned = _typed(frame, first, sheet.name)
        return frame.with_columns(moment.alias(START)), zoned, None
    values = frame[first].drop_nulls()
    found = INTERVAL.match(values[0].strip()) if len(values) else None
    column = first
    if found and looks_like_time(found[1]):
        halves = [pl.col(first).str.extract(r"^(.*?) +(?:[-–]|to|bis|tot) +(.*)$", k) for k in (1, 2)]
        frame = frame.with_columns(halves[0].alias("from"), *([halves[1].alias(UNTIL)] if date_part(found[2]) else []))
        column = "from"
    elif rule.hour_numbers or NUMBER in frame.columns:
        return _by_hour(frame, sheet, rule)
    elif len(rule.columns) > 1:
        bare = pl.col(first).str.strip_chars().str.head(len(date_part(values[0].strip())) if len(values) else 10)
        clock = pl.col(rule.columns[1]).str.strip_chars()
        if frame[rule.columns[1]].head(1).str.contains("[-–]").any():
            clock = clock.str.extract(r"^([^-–]*[^-– ])")
        frame = frame.with_columns(pl.concat_str(bare, clock, separator=" ").alias("moment"))
        column = "moment"
    if rule.zone_column and column == first:
        clock = pl.col(rule.zone_column).str.strip_chars()
        frame = frame.with_columns(pl.concat_str(pl.col(first).str.strip_chars(), clock, separator=" ").alias("moment"))
        column = "moment"
    written = frame[column].drop_nulls()
    order = rule.order or day_month_order(written, sheet.name, first)
    examples = [*written.head(30), *written.tail(30)]
    moment, zoned = parsed(pl.col(WRITTEN), examples, order)
    at_once = None if written.len() < len(frame) else read_at_once(written, examples, order)
    if at_once is not None:
        frame = frame.with_columns(at_once.alias(START))
    else:
        once = pl.col(column).str.replace(r"\b(\d{1,2})[AB]:", "${1}:")  # the hour that comes twice, by its letter
        frame = frame.with_columns(once.alias(WRITTEN))
        read_once = frame.select(pl.col(WRITTEN).unique()).with_columns(moment.alias(START))
        frame = frame.drop(START, strict=False).join(read_once, on=WRITTEN, how="left", maintain_order="left")
    until = rule.end or (UNTIL if UNTIL in frame.columns else None)
    if until:
        frame = frame.with_columns(parsed(pl.col(until), examples, order)[0].alias(UNTIL))
    return frame, zoned, None


def _by_hour(frame: pl.DataFrame, sheet: Sheet, rule: TimeRule) -> tuple[pl.DataFrame, bool, str | None]:
    """A day and the number of its hour, or of its quarter, from 1 or from 0: what passed since its midnight."""
    import polars as pl

    first = rule.columns[0]
    dates = frame[first].drop_nulls()
    order = rule.order or day_month_order(dates, sheet.name, first)
    day, _ = parsed(pl.col(first), [*dates.head(30), *dates.tail(30)], order)
    if NUMBER not in frame.columns:
        number = pl.col(rule.columns[1]).cast(pl.String).str.strip_chars().cast(pl.Int64, strict=False)
        frame = frame.with_columns(number.alias(NUMBER))
    if frame[NUMBER].min() == 0:
        frame = frame.with_columns(pl.col(NUMBER) + 1)
    step = _part_of_day(frame)
    return frame.with_columns(day.alias(START), ((pl.col(NUMBER) - 1) * step).alias(ELAPSED)), False, ELAPSED


def _part_of_day(frame: pl.DataFrame) -> int:
    """Length of what is numbered [s]: a day has up to 25 hours, 50 halves or 100 quarters of them."""
    most = int(frame[NUMBER].max() or 0)  # type: ignore[arg-type]
    return HOUR if most <= LONGEST_DAY else HOUR // 2 if most <= 2 * LONGEST_DAY else HOUR // 4


def _numbered(frame: pl.DataFrame, zone: str, series: list[str], length: int, name: str) -> pl.DataFrame:
    """Local days and what passed since their midnight as Unix seconds.

    A day on which the clock is changed has 23 or 25 hours: where it has all its rows, they are its parts in their
    order, whatever they are called. Raises DataError where such a day has the rows of another.
    """
    import polars as pl

    days = frame.select(pl.col(START).unique().sort()).with_row_index(ROW)
    ends = days.with_columns(pl.col(START).alias("utc"), (pl.col(START) + DAY).alias("next"))
    for column in ("utc", "next"):
        ends = to_utc(ends, column, zone, [], name)
    ends = ends.with_columns((pl.col("next") - pl.col("utc")).alias("day")).drop(ROW, "next")
    frame = frame.join(ends, on=START, how="left", maintain_order="left")
    of_day = [START, *series]
    ordered = pl.struct(ELAPSED, ROW).rank("ordinal").over(of_day).cast(pl.Int64) - 1
    rows, changed = pl.len().over(of_day) * length, pl.col("day") != DAY
    wrong = frame.filter(changed & ((pl.col(ELAPSED) >= pl.col("day")) | (rows == DAY)) & (rows != pl.col("day")))
    if len(wrong):
        raise DataError(
            f"{name}: row {wrong[ROW][0]}: the clock is changed on this day, which has {int(wrong['day'][0]) // length}"
            f" parts and {DAY // length} numbers here; give all its readings, or the time of each"
        )
    passed = pl.when(changed & (rows == pl.col("day"))).then(ordered * length).otherwise(pl.col(ELAPSED))
    return frame.with_columns((pl.col("utc") + passed).alias(START)).drop("utc", "day")


def _typed(frame: pl.DataFrame, column: str, name: str) -> tuple[pl.Expr, bool]:
    """Times that a file keeps as times, or as numbers of seconds."""
    import polars as pl

    dtype = frame.schema[column]
    if isinstance(dtype, pl.Datetime):
        parts = frame.filter(pl.col(column) != pl.col(column).dt.truncate("1s"))
        if len(parts):
            row, value = parts[ROW][0], parts[column][0]
            raise DataError(f"{name}: row {row}: {column} = {value}: the time has parts of a second; slots have none")
        return pl.col(column).dt.epoch("s"), dtype.time_zone is not None
    if dtype.is_integer() and int(frame[column].min() or 0) > FIRST_SECOND:  # type: ignore[arg-type]
        return unix_seconds(pl.col(column)), True
    raise DataError(f"{name}: {column} holds {dtype}; write times like 2017-06-05T00:00Z")


def _length(frame: pl.DataFrame, rule: TimeRule, sheet: Sheet, expected: int | None) -> int:
    """Length of a slot [s]: as the profile says, from end to end, or the step that most times are apart."""
    if rule.minutes:
        return rule.minutes * 60
    if ELAPSED in frame.columns:
        return _part_of_day(frame)
    if UNTIL in frame.columns:
        steps = (frame[UNTIL] - frame[START]).drop_nulls().to_numpy()
    else:
        times = frame[START].to_numpy()
        steps = np.diff(times) if frame[START].is_sorted() else np.diff(np.sort(times))
        steps = steps[steps > 0]
    if expected and len(steps) < FEW_TIMES:
        return expected
    if not len(steps):
        raise DataError(f"{sheet.name}: holds one time only, so the length of a slot is not known; give a day or more")
    lengths, counts = np.unique(steps, return_counts=True)
    length = int(lengths[counts.argmax()])
    if length % 60 or HOUR % length:
        apart = f"{length // 60} minutes" if length % 60 == 0 else f"{length} seconds"
        raise DataError(f"{sheet.name}: its times are {apart} apart; slots have whole minutes that make an hour")
    return length


def _labels_end(frame: pl.DataFrame, rule: TimeRule) -> bool:
    """Whether local ends were made by adding the slot to its local start, so that they must be moved back before.

    In the autumn hour that comes twice, such a file has an end twice that the clock showed once.
    """
    if rule.zone is None or OFFSET.match(rule.zone):
        return False
    times, counts = np.unique(frame[START].to_numpy(), return_counts=True)
    twice = times[counts > np.bincount(counts).argmax()].tolist()
    return any(not _came_twice(local, ZoneInfo(rule.zone)) for local in twice)


def _came_twice(local: int, zone: ZoneInfo) -> bool:
    """Whether the clocks of a zone showed a local time, in seconds as if UTC, twice."""
    wall = datetime.fromtimestamp(local, UTC).replace(tzinfo=zone)
    return wall.utcoffset() != wall.replace(fold=1).utcoffset()
