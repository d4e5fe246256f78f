"""Rows of a file of prices: when each begins and what it says, in whatever words its publisher writes.

A time may be the begin of an interval, `26.10.2025 02:45 - 26.10.2025 02:00`, have an offset or a name of its clock,
`02:00 (CEST)`, or be a date beside an hour, `2-3` or `24`. Local times are those of the clock that the head names, `MTU
(CET/CEST)`, or else of the zone given; where the clock goes back, what stands there twice is first the time before and
then the one after the change.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError, InputError, Unsaid
from transactive.core.spelling.quantities import units_in
from transactive.core.units import PPM, IntArray
from transactive.environment.price_hours import clock_column, hour_column, with_clock, with_hours
from transactive.tabular.decimals import is_empty, millionths
from transactive.tabular.local_times import to_utc
from transactive.tabular.moments import day_month_order, parsed
from transactive.tabular.sheets import Sheet, read_sheet
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

CLOCKS = {"UTC": 0, "GMT": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3}
"""Clocks that times name, hours ahead of UTC."""
ZONES = {"CET/CEST": "Europe/Brussels", "EET/EEST": "Europe/Helsinki", "WET/WEST": "Europe/Lisbon", "UTC": "UTC"}
"""Zones that heads of columns name."""
CLOCK = rf"\s*\(?\b({'|'.join(CLOCKS)})\)?$"
UNTIL = r"\s+[-–]\s+.*$"


@dataclass(frozen=True, slots=True)
class PriceFile:
    """Where a series stands and what its numbers are. factor: µ¤/kWh in one of them. repeats: equal rows are left out.

    time: column of the time; None is the first one. zone: of local times whose column names none; None is not said.
    """

    path: Path
    column: str
    factor: Fraction
    zone: str | None
    time: str | None = None
    repeats: bool = False


def price_rows(of: PriceFile) -> tuple[IntArray, IntArray]:
    """Times [Unix s] and prices [µ¤/kWh] of the rows that name a price, in the order of the file. Raises DataError."""
    import polars as pl

    sheet = read_sheet(of.path)
    named = {name.strip(): name for name in sheet.columns}
    for name in (of.column, *([of.time] if of.time else [])):
        if " ".join(name.split()) not in named:
            raise DataError(f"{of.path.name}: column {name!r} is missing; there are {', '.join(named)}")
    price = named[" ".join(of.column.split())]
    _refuse_other_unit(price, of)
    _refuse_day_rows(sheet, of)
    time = named[" ".join(of.time.split())] if of.time else sheet.columns[0]
    frame = sheet.frame.with_columns(pl.col(time).alias(TIME)).filter(~_footer(sheet.frame, time, price))
    if frame.is_empty():
        raise DataError(f"{of.path.name}: has no rows; give the prices of the slots to run")
    frame = _timed(frame, time, of)
    kept = frame.filter(~is_empty(pl.col(price), frame.schema[price]))
    if of.repeats and len(kept) < len(frame):
        row = frame.filter(is_empty(pl.col(price), frame.schema[price]))[ROW][0]
        raise DataError(
            f'{of.path.name}: row {row}: {of.column} is empty; with gaps = "repeat" a price that is equal is left out'
            " with its row, so fill it in or take the row out"
        )
    return kept[TIME].to_numpy(), _prices(kept, price, of, sheet)


TIME = "\0time"


def _refuse_other_unit(column: str, of: PriceFile) -> None:
    """Refuse a unit that is not the one that the column's own head says."""
    for money, per in re.findall(r"([^\W\d_]{1,4}\.?|[€£$])\s?/\s?(MWh|kWh)\b", column):
        try:
            there = units_in(f"{money}/{per}", "price_micro_per_kwh")
        except InputError:
            continue
        if there != of.factor:
            raise DataError(
                f"{of.path.name}: column {column!r} says {money}/{per}, and the tariff another unit; write unit ="
                f' "{money}/{per}"'
            )


def _refuse_day_rows(sheet: Sheet, of: PriceFile) -> None:
    """Refuse a table with a row a day, whose columns are hours."""
    hours = [name for name in sheet.columns if HOUR_NAME.match(name.strip())]
    if len(hours) >= HOURS_OF_A_DAY:
        raise DataError(
            f"{of.path.name}: has a row a day and a column an hour ({hours[0]}, {hours[1]}, …); write a row an hour"
        )


HOURS_OF_A_DAY = 23
HOUR_NAME = re.compile(r"^(h|hour|ora|hora|stunde|he)? ?0*\d{1,2}([:.]00)?( ?[-–] ?\d{1,2}([:.]00)?)?$", re.IGNORECASE)


def _footer(frame: pl.DataFrame, time: str, price: str) -> pl.Expr:
    """Rows of a second head or a foot: without a price, and without a digit in their time."""
    import polars as pl

    if frame.schema[time] != pl.String:
        return pl.lit(value=False)
    nameless = ~pl.col(time).fill_null("").str.contains(r"\d")
    wordy = pl.lit(value=False)
    if frame.schema[price] == pl.String:
        wordy = ~pl.col(price).fill_null("").str.contains(r"^\s*[-+−]?[\d.,]+\s*$")
    return nameless & wordy


def _timed(frame: pl.DataFrame, column: str, of: PriceFile) -> pl.DataFrame:
    """The rows with TIME as Unix seconds."""
    import polars as pl

    dtype = frame.schema[TIME]
    if isinstance(dtype, pl.Datetime):
        seconds, zoned = frame.with_columns(pl.col(TIME).dt.epoch("s")), dtype.time_zone is not None
        return seconds if zoned else _local(seconds, column, of)
    begins = frame.with_columns(pl.col(TIME).cast(pl.String).str.strip_chars().str.replace(UNTIL, ""))
    begins = begins.with_columns(
        pl.col(TIME).str.extract(CLOCK).replace_strict(CLOCKS, default=None, return_dtype=pl.Int64).alias(AHEAD),
        pl.col(TIME).str.replace(CLOCK, ""),
    )
    try:
        order = day_month_order(begins[TIME], of.path.name, column)
    except Unsaid:
        raise DataError(
            f"{of.path.name}: {column} {begins[TIME][0]}: day or month first? write 2026-05-01, or add a day after the"
            " twelfth"
        ) from None
    texts = begins[TIME].drop_nulls()
    moment, zoned = parsed(pl.col(TIME), [*texts.head(50), *texts.tail(50)], order)
    read = begins.with_columns(moment.alias(SECONDS))
    _refuse_no_time(read, frame, of)
    read = read.with_columns(pl.col(SECONDS).alias(TIME)).drop(SECONDS)
    if zoned:
        return read
    beside = hour_column(read, column)
    if beside is not None:
        return with_hours(read, TIME, beside, _zone(column, of), of.path.name)
    clock = clock_column(read, column, " ".join(of.column.split()), of.path.name)
    if clock is not None:
        return _local(with_clock(read, TIME, clock, of.path.name), column, of)
    said = read.filter(pl.col(AHEAD).is_not_null()).with_columns(pl.col(TIME) - pl.col(AHEAD) * 3600)
    rest = read.filter(pl.col(AHEAD).is_null())
    return said if rest.is_empty() else pl.concat([_local(rest, column, of), said]).sort(ROW)


AHEAD, SECONDS = "\0ahead", "\0seconds"


def _refuse_no_time(read: pl.DataFrame, frame: pl.DataFrame, of: PriceFile) -> None:
    """Raise DataError for the first row without a time."""
    import polars as pl

    faulty = read.filter(pl.col(SECONDS).is_null())
    if len(faulty):
        row = faulty[ROW][0]
        text = frame.filter(pl.col(ROW) == row)[TIME][0]
        raise DataError(
            f"{of.path.name}: row {row}: {text!r} is no time; write it like 2026-05-01T00:00 or 01.05.2026 00:00"
        )


def _local(frame: pl.DataFrame, column: str, of: PriceFile) -> pl.DataFrame:
    return to_utc(frame, TIME, _zone(column, of), [], of.path.name)


def _zone(column: str, of: PriceFile) -> str:
    """The zone of a column's local times: the one that its head names, or else the one given. Raises DataError."""
    words = re.sub(r"[\s_]+", " ", column.upper()).replace("GMT", "UTC").replace("−", "-")
    if offset := re.search(r"\bUTC ?([+-]) ?(\d{1,2})(?::?([0-5]\d))?\b", words):
        return f"{offset[1]}{int(offset[2]):02d}:{offset[3] or '00'}"
    if named := next((zone for name, zone in ZONES.items() if re.search(rf"\b{name}\b", words)), None):
        return named
    if of.zone is None:
        raise DataError(
            f'{of.path.name}: {column} names no zone; say which clock its times follow: zone = "Europe/Vienna" beside'
            ' file, or zone = "UTC"'
        )
    return of.zone


def _prices(frame: pl.DataFrame, column: str, of: PriceFile, sheet: Sheet) -> IntArray:
    """Prices [µ¤/kWh], rounded half away from zero."""
    import polars as pl

    texts = frame[column]
    if texts.dtype == pl.String:
        texts = texts.str.strip_chars().str.replace("−", "-", literal=True)
    read = millionths(texts, comma_parts_columns=not sheet.decimal_comma)
    if read.null_count():
        place = read.is_null().arg_true()[0]
        raise DataError(
            f"{of.path.name}: row {frame[ROW][place]}: {of.column} = {frame[column][place]!r} is no number; correct it"
        )
    above, below = of.factor.numerator, of.factor.denominator * PPM
    whole = [(abs(value * above) * 2 + below) // (2 * below) * (-1 if value < 0 else 1) for value in read.to_list()]
    return np.array(whole, np.int64)
