"""Anyone's CSV or Parquet as a history: time column, target, group, and what is known in advance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.slots import SLOT_MINUTES, time_text
from transactive.core.units import IntArray
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.series import FloatArray, History
from transactive.tabular.columns import refuse
from transactive.tabular.decimals import with_points
from transactive.tabular.local_times import to_utc
from transactive.tabular.moments import HINT, day_month_order, parsed, unix_seconds
from transactive.tabular.sheets import read_sheet
from transactive.tabular.source import ROW, Source

if TYPE_CHECKING:
    import polars as pl

TIME_NAMES = ("slot_start", "time_utc", "time", "timestamp", "datetime", "date_time", "date", "start")
"""Where the time is looked for when no column is named."""
MOST_SLOTS = 2_000_000
"""A series of more slots than this has a wrong time in it: 19 years of five minutes."""

MOST_DAYS_AHEAD = 45


@dataclass(frozen=True, slots=True)
class SeriesColumns:
    """Names of columns: target, who is measured, when, and what is known in advance.

    zone: of times without one. profile: how to read an export, by name or file.
    """

    target: str
    group: str | None = None
    time: str | None = None
    known: tuple[str, ...] = ()
    zone: str = "UTC"
    profile: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SeriesFile:
    """A history to its last reading, its members' names, and how many readings are missing."""

    history: History
    members: list[str]
    gaps: int


def read_series(path: Source, columns: SeriesColumns, calendar: Calendar, *, sparse: bool = False) -> SeriesFile:
    """Read a file. Raises DataError naming file, row and column of the first fault.

    Whole numbers are Unix seconds or milliseconds. A missing row or an empty value of
    the target is a gap; sparse: some of the group may have gaps only.
    """
    import polars as pl

    sheet = read_sheet(path)
    frame = sheet.frame
    time = _time_column(frame, columns, path)
    wanted = dict.fromkeys((time, columns.target, *((columns.group,) if columns.group else ()), *columns.known))
    for column in wanted:
        if column not in frame.columns:
            raise DataError(f"{path.name}: column {column} is missing; the file has {', '.join(sheet.columns)}")
    if frame.is_empty():
        raise DataError(f"{path.name}: has no rows; give some weeks of readings")
    frame = frame.select(ROW, *wanted)
    frame = _seconds(frame, time, path, columns.group, columns.zone)
    for column in (columns.target, *columns.known):
        frame = _floats(frame, column, path, decimal_comma=sheet.decimal_comma)
    if columns.group:
        refuse(frame, pl.col(columns.group).is_null(), columns.group, path, "a value is missing; name whose row it is")
        frame = frame.with_columns(pl.col(columns.group).cast(pl.String))
    else:
        frame = frame.with_columns(pl.lit(columns.target).alias("group"))
    return _laid_out(frame, time, columns, calendar, path, sparse=sparse)


def _laid_out(
    frame: pl.DataFrame, time: str, columns: SeriesColumns, calendar: Calendar, path: Source, *, sparse: bool
) -> SeriesFile:
    """Rows on the grid of slots, NaN where there is none."""
    import polars as pl

    group = columns.group or "group"
    refuse(
        frame, pl.struct(time, group).is_duplicated(), time, path,
        "this time stands there twice" + (f" for one {group}; keep one row" if columns.group else "; name a --group"),
    )  # fmt: skip
    starts = frame[time].unique().sort().to_numpy()
    length = _length(starts, path)
    first = int(starts[0])
    refuse(
        frame, (pl.col(time) - first) % length != 0, time, path, f"is not on the grid of {length // 60} minutes from"
        f" {time_text(first)}; correct the time",
    )  # fmt: skip
    slots = (int(starts[-1]) - first) // length + 1
    if slots > MOST_SLOTS:
        raise DataError(f"{path.name}: {time} runs from {time_text(first)} to {time_text(int(starts[-1]))}: too long")
    names = frame[group].unique().sort().to_list()
    rows = (frame[time].to_numpy() - first) // length
    place = frame[group].replace_strict(names, list(range(len(names))), return_dtype=pl.Int64).to_numpy()
    values = np.full((slots, len(names)), np.nan)
    values[rows, place] = frame[columns.target].to_numpy()
    silent = [name for name, column in zip(names, np.isfinite(values).T, strict=True) if not column.any()]
    if silent and not sparse:
        raise DataError(f"{path.name}: {columns.target} of {silent[0]} is empty throughout; take the rows out")
    begins = np.isfinite(values).argmax(axis=0)
    gaps = int(np.isnan(values).sum() - begins.sum())
    ahead = _ahead(frame, rows, slots, columns.known)
    return SeriesFile(History(first, length, values, ahead, calendar), names, gaps)


def _ahead(frame: pl.DataFrame, rows: IntArray, slots: int, known: Sequence[str]) -> FloatArray:
    """What is known in advance, (slots, columns): the first value that a slot has."""
    ahead = np.full((slots, len(known)), np.nan)
    for column, name in enumerate(known):
        values = frame[name].to_numpy()
        ahead[rows[::-1], column] = values[::-1]
    return ahead if known else np.empty((0, 0))


def _time_column(frame: pl.DataFrame, columns: SeriesColumns, path: Source) -> str:
    """The column that was named, or the one that looks like it."""
    if columns.time:
        return columns.time
    for name in TIME_NAMES:
        if name in frame.columns and name != columns.target:
            return name
    raise DataError(f"{path.name}: has no column {', '.join(TIME_NAMES)}; name the column of times with --time")


def _length(starts: IntArray, path: Source) -> int:
    """Length of a slot [s]: the most frequent step between times."""
    if len(starts) < 2:
        raise DataError(f"{path.name}: holds one time only; give some weeks of readings")
    steps, counts = np.unique(np.diff(starts), return_counts=True)
    length = int(steps[counts.argmax()])
    if length not in [minutes * 60 for minutes in SLOT_MINUTES]:
        allowed = ", ".join(map(str, SLOT_MINUTES))
        raise DataError(f"{path.name}: its times are {length / 60:g} minutes apart; slots of {allowed} can be forecast")
    return length


def _seconds(frame: pl.DataFrame, column: str, path: Source, group: str | None, zone: str) -> pl.DataFrame:
    """Times as whole Unix seconds; those without a zone are of `zone`."""
    import polars as pl

    dtype, zoned = frame.schema[column], True
    if isinstance(dtype, pl.Datetime):
        moment, zoned = pl.col(column).dt.epoch("s"), dtype.time_zone is not None
    elif dtype.is_integer():
        moment = unix_seconds(pl.col(column))
    elif dtype == pl.String:
        values = frame[column].drop_nulls()
        order = day_month_order(values, path.name, column)
        moment, zoned = parsed(pl.col(column), [*values.head(30), *values.tail(30)], order)
    else:
        raise DataError(f"{path.name}: {column} holds {dtype}, no times; name another column with --time")
    read = frame.with_columns(moment.alias("seconds"))
    refuse(read, pl.col("seconds").is_null(), column, path, HINT)
    read = read.with_columns(pl.col("seconds").alias(column)).drop("seconds")
    return read if zoned else to_utc(read, column, zone, [group] if group else [], path.name)


def _floats(frame: pl.DataFrame, column: str, path: Source, *, decimal_comma: bool) -> pl.DataFrame:
    """Numbers as float64, an empty value or NaN as a gap."""
    import polars as pl

    dtype = frame.schema[column]
    if dtype == pl.String:
        text = pl.lit(with_points(frame[column].str.strip_chars(), comma_parts_columns=not decimal_comma))
        empty = pl.col(column).is_null() | text.str.to_lowercase().is_in(["", "nan", "na", "null"])
        number = pl.when(empty).then(None).otherwise(text).cast(pl.Float64, strict=False)
        refuse(frame.with_columns(number.alias("n")), pl.col("n").is_null() & ~empty, column, path, "not a number")
    elif dtype.is_numeric() or dtype == pl.Boolean:
        number = pl.col(column).cast(pl.Float64)
    else:
        raise DataError(f"{path.name}: {column} holds {dtype}; numbers are needed")
    parsed = frame.with_columns(number.fill_null(float("nan")).alias("number"))
    refuse(parsed, pl.col("number").is_infinite(), column, path, "not a finite number")
    return parsed.with_columns(pl.col("number").alias(column)).drop("number")


def parse_horizon(text: str, length: int) -> int:
    """Slots of a horizon like 24h, 30min or 2d. Raises InputError."""
    seconds = {"min": 60, "h": 3600, "d": 86_400}
    unit = next((unit for unit in seconds if text.endswith(unit)), None)
    number = text[: -len(unit)].strip() if unit else ""
    if unit is None or not number.isdigit() or not int(number):
        raise InputError(f"--horizon {text}: write it like 24h, 15min or 2d")
    total = int(number) * seconds[unit]
    if total % length or total > MOST_DAYS_AHEAD * 86_400:
        raise InputError(f"--horizon {text}: whole slots of {length // 60} minutes are needed, 45 days at most")
    return total // length
