"""Columns of a CSV or Parquet file, typed and checked, each fault named by its row.

Rows are counted as an editor counts lines: the header of a CSV is row 1, so its first reading stands in row 2; rows of
a Parquet file are counted from 1, and those of a table in memory from 0, as its own library does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.tabular.source import FrameSource, Source, first_row
from transactive.tabular.spreadsheet import QUOTED

if TYPE_CHECKING:
    import polars as pl

ROW = "row"
LARGEST_CSV = 2 * 2**30
"""A larger CSV is refused before it is read [bytes]; the same data as Parquet take a tenth."""


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

    frame = open_columns(path)
    wanted = (*times, *texts, *numbers)
    absent = [column for column in wanted if column not in frame.columns]
    if absent:
        raise DataError(f"{path.name}: column {absent[0]} is missing; needed are {', '.join(wanted)}")
    if frame.is_empty():
        raise DataError(f"{path.name}: has no rows; give at least one day of history and the slots to run")
    spare = (*spare_texts, *spare_numbers, *spare_decimals)
    here = [pl.col(name) if name in frame.columns else pl.lit(None, pl.String).alias(name) for name in spare]
    frame = frame.select(*wanted, *here).with_row_index(ROW, offset=first_row(path))
    _refuse_empty(frame, wanted, path)
    named = pl.col([*texts, *spare_texts]).cast(pl.String)  # a database may call its members 1, 2, 3
    if isinstance(path, Path) and path.suffix == ".csv":
        named = named.str.replace(QUOTED, "$1")
    frame = frame.with_columns(named)
    for column in times:
        frame = _times(frame, column, path)
    for column in (*numbers, *spare_numbers):
        frame = _numbers(frame, column, path)
    for column in spare_decimals:
        frame = _decimals(frame, column, path)
    return frame


def refuse(frame: pl.DataFrame, faulty: pl.Expr, column: str, path: Source, what: str) -> None:
    """Raise DataError for the first row where `faulty` holds, quoting the value of the column."""
    bad = frame.filter(faulty)
    if len(bad):
        first = bad.row(0, named=True)
        raise DataError(f"{path.name}: row {first[ROW]}: {column} = {first[column]!r}: {what}")


def open_columns(path: Source, separator: str = ",") -> pl.DataFrame:
    """All columns as they stand in the file; those of a CSV as text, with `separator` between them."""
    import polars as pl

    if isinstance(path, FrameSource):
        return path.frame
    if path.suffix not in (".csv", ".parquet"):
        raise DataError(f"{path.name}: neither .csv nor .parquet; rename or convert it")
    try:
        size = path.stat().st_size
        if size == 0:
            raise DataError(f"{path.name}: is empty; its first line names the columns")
        if path.suffix == ".parquet":
            return pl.read_parquet(path)
        if size > LARGEST_CSV:
            raise DataError(f"{path.name}: has {size / 2**30:.1f} GiB; convert it to Parquet or split it")
        return pl.read_csv(path, infer_schema=False, separator=separator)
    except OSError as error:
        reason = error.strerror or "not found"
        raise DataError(f"{path}: cannot be read ({reason}); correct the path") from None
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path.name}: is not readable as {path.suffix[1:]}: {reason}") from None


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
    text = pl.col(column)
    naive = ~text.str.contains(r"(Z|[+-]\d\d:\d\d)$")
    refuse(frame, naive, column, path, "the time has no zone; write it like 2017-06-05T00:00Z")
    zoned = text.str.replace(r"Z$", "+00:00").str.replace(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)([+-])", "$1:00$2")
    moment = zoned.str.to_datetime("%Y-%m-%dT%H:%M:%S%z", time_zone="UTC", strict=False)
    parsed = frame.with_columns(moment.dt.epoch("s").alias("seconds"))
    refuse(parsed, pl.col("seconds").is_null(), column, path, "not a time; write it like 2017-06-05T00:00Z")
    return parsed.with_columns(pl.col("seconds").alias(column)).drop("seconds")


def _numbers(frame: pl.DataFrame, column: str, path: Source) -> pl.DataFrame:
    """Turn text or whole numbers of any width into int64."""
    import polars as pl

    dtype = frame.schema[column]
    if dtype != pl.String and not dtype.is_integer():
        raise DataError(f"{path.name}: {column} holds {dtype}; give whole numbers, energy in Wh")
    parsed = frame.with_columns(pl.col(column).cast(pl.Int64, strict=False).alias("number"))
    faulty = pl.col("number").is_null() & pl.col(column).is_not_null()
    refuse(parsed, faulty, column, path, "not a whole number; energy is in Wh, prices in µ¤/kWh")
    return parsed.with_columns(pl.col("number").alias(column)).drop("number")


def _decimals(frame: pl.DataFrame, column: str, path: Source) -> pl.DataFrame:
    """Turn text or numbers of any width into float64; what is not a number is refused, and so is infinity."""
    import polars as pl

    parsed = frame.with_columns(pl.col(column).cast(pl.Float64, strict=False).alias("number"))
    faulty = (pl.col("number").is_null() & pl.col(column).is_not_null()) | ~pl.col("number").is_finite()
    refuse(parsed, faulty, column, path, "not a number")
    return parsed.with_columns(pl.col("number").alias(column)).drop("number")
