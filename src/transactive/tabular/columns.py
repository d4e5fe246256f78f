"""Columns of a file with a table, typed and checked, each fault named by its row.

Rows are counted as an editor counts lines: the header of a CSV is row 1, so its first reading stands in row 2; rows of
a Parquet file are counted from 1, and those of a table in memory from 0, as its own library does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.tabular.decimals import with_points
from transactive.tabular.moments import HINT, parsed
from transactive.tabular.sheets import Sheet, read_sheet
from transactive.tabular.source import ROW, FrameSource, Source
from transactive.tabular.spreadsheet import QUOTED

if TYPE_CHECKING:
    import polars as pl


def read_columns(
    path: Source,
    times: Sequence[str],
    numbers: Sequence[str],
    texts: Sequence[str] = (),
    *,
    spare_numbers: Sequence[str] = (),
    spare_texts: Sequence[str] = (),
    spare_decimals: Sequence[str] = (),
) -> pl.DataFrame:
    """Read the named columns and the row number, in the order of the file.

    times become Unix seconds, numbers int64, decimals float64. Spare columns may be absent, their values empty: null
    either way. Raises DataError naming file, row and column of the first fault.
    """
    import polars as pl

    sheet = read_sheet(path)
    frame = sheet.frame
    wanted = (*times, *texts, *numbers)
    absent = [column for column in wanted if column not in frame.columns]
    if absent:
        raise DataError(
            f"{path.name}: column {absent[0]} is missing; needed are {', '.join(wanted)}; the file has"
            f" {', '.join(sheet.columns[:12])}"
        )
    if frame.is_empty():
        raise DataError(f"{path.name}: has no rows; give at least one day of history and the slots to run")
    spare = (*spare_texts, *spare_numbers, *spare_decimals)
    here = [pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name) for name in spare]
    frame = frame.select(ROW, *wanted, *here)
    _refuse_empty(frame, wanted, path)
    named = pl.col([*texts, *spare_texts]).cast(pl.String)  # a database may call its members 1, 2, 3
    if isinstance(path, Path):
        named = named.str.strip_chars().str.replace(QUOTED, "$1")
    frame = frame.with_columns(named)
    for column in times:
        frame = _times(frame, column, path)
    for column in (*numbers, *spare_numbers):
        frame = _numbers(frame, column, sheet)
    for column in spare_decimals:
        frame = _decimals(frame, column, sheet)
    return frame


def refuse(frame: pl.DataFrame, faulty: pl.Expr, column: str, path: Source, what: str) -> None:
    """Raise DataError for the first row where `faulty` holds, quoting the value of the column."""
    bad = frame.filter(faulty)
    if len(bad):
        first = bad.row(0, named=True)
        raise DataError(f"{path.name}: row {first[ROW]}: {column} = {first[column]!r}: {what}")


def _refuse_empty(frame: pl.DataFrame, columns: Sequence[str], path: Source) -> None:
    """Refuse the first empty value of the columns."""
    import polars as pl

    for column in columns:
        refuse(frame, pl.col(column).is_null(), column, path, "a value is missing; fill it in or take the row out")


def _times(frame: pl.DataFrame, column: str, path: Source) -> pl.DataFrame:
    """Turn RFC 3339 text or zoned times into Unix seconds."""
    import polars as pl

    dtype = frame.schema[column]
    if isinstance(dtype, pl.Datetime):
        if dtype.time_zone is None:
            raise DataError(f"{path.name}: {column} has no zone; store it in UTC")
        parts = pl.col(column) != pl.col(column).dt.truncate("1s")
        refuse(frame, parts, column, path, "the time has parts of a second; slots start at whole seconds")
        return frame.with_columns(pl.col(column).dt.epoch("s"))
    if dtype != pl.String:
        raise DataError(f"{path.name}: {column} holds {dtype}; write times like 2017-06-05T00:00Z")
    values = frame[column].drop_nulls()
    moment, zoned = parsed(pl.col(column), [*values.head(30), *values.tail(30)], "ymd")
    with_zone = pl.col(column).str.contains(r"(Z|UTC|GMT|[+-]\d\d:?\d\d|^\s*\d{9,13})\s*$")
    refuse(frame, ~with_zone, column, path, "the time has no zone; write it like 2017-06-05T00:00Z")
    read = frame.with_columns(moment.alias("seconds"))
    refuse(read, pl.col("seconds").is_null() | pl.lit(not zoned), column, path, HINT)
    return read.with_columns(pl.col("seconds").alias(column)).drop("seconds")


def _numbers(frame: pl.DataFrame, column: str, sheet: Sheet) -> pl.DataFrame:
    """Turn text or whole numbers of any width into int64; 250.0 is whole."""
    import polars as pl

    dtype, where = frame.schema[column], FrameSource(frame, sheet.name)
    if dtype != pl.String and not dtype.is_integer():
        raise DataError(f"{sheet.name}: {column} holds {dtype}; give whole numbers, energy in Wh")
    number = pl.col(column).cast(pl.Int64, strict=False)
    if dtype == pl.String:
        bare = with_points(frame[column].str.strip_chars(), comma_parts_columns=not sheet.decimal_comma)
        number = pl.coalesce(number, bare.str.replace(r"\.0+$", "").cast(pl.Int64, strict=False))
    parsed_frame = frame.with_columns(number.alias("number"))
    faulty = pl.col("number").is_null() & pl.col(column).is_not_null()
    refuse(parsed_frame, faulty, column, where, "not a whole number; energy is in Wh, prices in µ¤/kWh")
    return parsed_frame.with_columns(pl.col("number").alias(column)).drop("number")


def _decimals(frame: pl.DataFrame, column: str, sheet: Sheet) -> pl.DataFrame:
    """Turn text or numbers of any width into float64; what is not a number is refused, and so is infinity."""
    import polars as pl

    value = pl.col(column)
    if frame.schema[column] == pl.String:
        value = pl.lit(with_points(frame[column].str.strip_chars(), comma_parts_columns=not sheet.decimal_comma))
    read = frame.with_columns(value.cast(pl.Float64, strict=False).alias("number"))
    faulty = (pl.col("number").is_null() & pl.col(column).is_not_null()) | ~pl.col("number").is_finite()
    refuse(read, faulty, column, FrameSource(frame, sheet.name), "not a number")
    return read.with_columns(pl.col("number").alias(column)).drop("number")
