"""Anyone's load, PV and price columns as recorded days for a battery."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from transactive.core.errors import DataError, InputError
from transactive.core.slots import time_text
from transactive.core.spelling.quantities import units_in
from transactive.core.units import BoolArray, IntArray
from transactive.forecasting.calendar import Calendar
from transactive.forecasting.clock import on_clock
from transactive.forecasting.series import FloatArray, History
from transactive.metering.exports.reader import ReadOptions
from transactive.studies.recordings.exports import as_recording
from transactive.studies.recordings.series import SeriesColumns, read_series
from transactive.studies.recordings.told_price import prices_told, told_price
from transactive.tabular.columns import refuse
from transactive.tabular.decimals import with_points
from transactive.tabular.sheets import read_sheet
from transactive.tabular.source import ROW, Source

LARGEST = 10**9
"""A number beyond this is no Wh of a slot and no µ¤/kWh."""
UNIT = re.compile(r"(?<![a-z])(?!per)([a-z]{1,4}|[€£$]) ?(?:/|_per_|_) ?(mwh|kwh)(?![a-z])", re.IGNORECASE)
"""A unit of prices in the name of a column, such as price_eur_mwh or `Price [EUR/MWh]`."""
TINY_WH, TINY_PRICE = 5, 1_000
"""Fractions around a mean below this are kWh instead of Wh, or ¤/kWh or ¤/MWh instead of µ¤/kWh."""


@dataclass(frozen=True, slots=True)
class ScheduleColumns:
    """Names of columns; prices: file of the price column, if not the same; profile: how to read an export.

    price: a column, or a price with its unit (`told_price`). zone: of times without one, and of a price's hours.
    """

    load: str
    pv: str
    price: str
    time: str | None
    group: str | None
    prices: Source | None
    profile: str | None = None
    zone: str = "UTC"


@dataclass(frozen=True, slots=True, eq=False)
class Days:
    """What a file holds: load and PV [Wh], (slots, members), price [µ¤/kWh], (slots,), and how many gaps it has."""

    first_slot: int
    length: int
    members: list[str]
    load_wh: IntArray
    pv_wh: IntArray
    price: IntArray
    gaps: int


def read_days(path: Source, named: ScheduleColumns) -> Days:
    """Read a file. Raises DataError naming file, row and column of the first fault.

    Numbers are rounded to whole Wh and µ¤/kWh. A gap in load or PV takes the reading of the day before; a price is
    needed in every slot.
    """
    if len({named.load, named.pv, named.price}) < 3:
        raise InputError("--load, --pv and --price name the same column twice; name three")
    path = as_recording(path, (named.load, named.pv), ReadOptions(named.profile))
    for column in (named.load, named.pv):
        check_column(path, column, 0, TINY_WH, "Wh; multiply kWh by 1,000")
    is_column = named.price in read_sheet(named.prices or path).columns
    told = None if is_column else told_price(named.price)
    if told is None:
        unit = "µ¤/kWh; multiply ¤/kWh by 1,000,000, ¤/MWh by 1,000, or name the column with its unit, like eur_mwh"
        check_column(named.prices or path, named.price, -LARGEST, 0 if micro_in(named.price) != 1 else TINY_PRICE, unit)
    elif named.prices:
        raise InputError(
            f"--price {named.price!r} is a price and --prices names a file of prices; take one of them out"
        )
    load, pv = (
        read_series(path, SeriesColumns(column, named.group, named.time, zone=named.zone), Calendar())
        for column in (named.load, named.pv)
    )
    history = load.history
    if len(history.values) < history.per_day:
        raise DataError(f"{path.name}: holds less than a day; a schedule needs some weeks of readings")
    load_wh, pv_wh = (np.rint(on_clock(read.history).values).astype(np.int64) for read in (load, pv))
    starts = history.first_slot + history.length * np.arange(len(history.values))
    price = _price(path, named, history) if told is None else prices_told(told, starts, named.zone)
    return Days(history.first_slot, history.length, load.members, load_wh, pv_wh, price, load.gaps + pv.gaps)


def check_column(path: Source, column: str, lowest: int, tiny: int, unit: str) -> None:
    """Refuse the first number below `lowest` or of another unit; what is no number at all, `read_series` refuses."""
    import polars as pl

    sheet = read_sheet(path)
    if column not in sheet.columns:
        raise DataError(f"{path.name}: column {column} is missing; the file has {', '.join(sheet.columns)}")
    frame = sheet.frame.select(ROW, column)
    dtype = frame.schema[column]
    if not (dtype.is_numeric() or dtype == pl.String):
        raise DataError(f"{path.name}: {column} holds {dtype}; numbers are needed, {unit}")
    text: pl.Expr = pl.col(column)
    if dtype == pl.String:
        plain = with_points(frame[column].str.strip_chars(), comma_parts_columns=not sheet.decimal_comma)
        text = pl.lit(plain)
    number = text.cast(pl.Float64, strict=False).fill_nan(None)
    for faulty, what in (
        (number < lowest, f"is below {lowest}; correct it"),
        (number > LARGEST, f"is more than {LARGEST}; correct it"),
        ((number != number.floor()) & (number.abs().mean() < tiny), f"does not look like {unit}"),
    ):
        refuse(frame, faulty.fill_null(value=False), column, path, what)


def _price(path: Source, named: ScheduleColumns, history: History) -> IntArray:
    """Price of each slot [µ¤/kWh], (slots,); the same for every member."""
    file = named.prices or path
    columns = SeriesColumns(named.price, zone=named.zone)
    if not named.prices:
        columns = replace(columns, group=named.group, time=named.time)
    read = read_series(file, columns, Calendar()).history
    if read.length != history.length:
        minutes = f"{read.length // 60} minutes, {named.load} of {history.length // 60}"
        raise DataError(f"{file.name}: {named.price} has slots of {minutes}; give both alike")
    rows = (history.first_slot - read.first_slot) // read.length + np.arange(len(history.values))
    inside = (rows >= 0) & (rows < len(read.values))
    known = np.full((len(rows), read.values.shape[1]), np.nan)
    known[inside] = read.values[rows[inside]]
    missing = np.isnan(known).all(axis=1)
    if missing.any():
        raise DataError(f"{file.name}: {named.price} has no value for {_when(history, missing)}; fill it in")
    price: FloatArray = np.nanmax(known, axis=1)
    unequal = (known != price[:, None]) & np.isfinite(known)
    if unequal.any():
        raise DataError(
            f"{file.name}: {named.price} is not the same for all at {_when(history, unequal.any(axis=1))};"
            " give each tariff a file of its own"
        )
    whole: IntArray = np.rint(price * float(micro_in(named.price))).astype(np.int64)
    return whole


def micro_in(column: str) -> Fraction:
    """µ¤/kWh in one of a column of prices, by the unit in its name; 1 where it names none."""
    found = UNIT.search(column)
    if found is None:
        return Fraction(1)
    money = found[1].upper() if len(found[1]) == 3 else found[1].lower()
    try:
        return units_in(f"{money}/{'MWh' if found[2].lower() == 'mwh' else 'kWh'}", "price_micro_per_kwh")
    except InputError:
        return Fraction(1)


def _when(history: History, faulty: BoolArray) -> str:
    """Start of the first faulty slot."""
    return time_text(history.first_slot + history.length * int(faulty.argmax()))
