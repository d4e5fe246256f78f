"""Prices whose rows name a date and, beside it, an hour or a quarter of the day: 1 to 24, `02 - 03`, `2A`, `02:00`.

On a day that has all its rows, 23 or 25 hours of them too, the n-th row is the n-th part of the day, whatever the
publisher calls the hours of a clock change.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.tabular.local_times import to_utc
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

NAMES = re.compile(
    r"\W*(hours?|hr|he|periodo?|período|hora|heure|stunde|ora|uur|time|timme|tunti|godzina|mtu|quarter)\b",
    re.IGNORECASE,
)
"""What columns of hours are called."""
CLOCK = r"^\s*(\d{1,2})[AB]?[:.](\d\d)(?:[:.]00)?(?:\s*([AaPp])\.?[Mm]\.?)?(?:\s*[-–].*)?\s*$"
"""A time of the day, of twelve or 24 hours; of a span its begin."""
HALVES = r"\d\s*[AaPp]\.?[Mm]\b"
"""A time of twelve hours."""
ENDS = re.compile(r"\W*(bis|to|until|end|ende|fin|fine|tot|hasta|slutt|till)\b", re.IGNORECASE)
"""What columns of the ends of hours are called."""
BEGIN = r"^\s*(\d{1,3})"


def hour_column(frame: pl.DataFrame, dates: str) -> str | None:
    """The column beside dates alone that tells the part of the day by its number in 24 hours, or None."""
    import polars as pl

    here = [name for name in frame.columns if not name.startswith("\0") and name not in (ROW, dates)]
    midnight = bool((frame["\0time"] % DAY == 0).all())
    if not midnight or frame["\0time"].is_unique().all():
        return None
    found = next((name for name in here if NAMES.match(name)), None)
    halved = found is not None and frame[found].cast(pl.String).str.contains(HALVES).any()
    return None if halved else found


def clock_column(frame: pl.DataFrame, dates: str, prices: str, name: str) -> str | None:
    """The first column beside dates alone, and no price, whose values are all times of the day, or None.

    Raises DataError where it names the ends of hours.
    """
    if not bool((frame["\0time"] % DAY == 0).all()) or frame["\0time"].is_unique().all():
        return None
    found = [column for column in frame.columns if column not in (ROW, dates) and _is_clock(frame, column)]
    clocks = [column for column in found if column.strip() != prices]
    begins = next((column for column in clocks if not ENDS.match(column)), None)
    if clocks and begins is None:
        raise DataError(f"{name}: {clocks[0]} names when an hour ends; write when each begins")
    return begins


def _is_clock(frame: pl.DataFrame, column: str) -> bool:
    """Whether all values of a column are times of the day, and not numbers with two decimals."""
    import polars as pl

    if column.startswith("\0") or frame.schema[column] != pl.String:
        return False
    values = frame[column].drop_nulls().str.strip_chars()
    there = len(values) == len(frame) and values.str.contains(CLOCK).all()
    return there and bool(values.str.contains(r":|\.(?:00|15|30|45)\b").all())


def with_clock(frame: pl.DataFrame, dates: str, column: str, name: str) -> pl.DataFrame:
    """The dates [s as if UTC] with the time of the day beside them. Raises DataError for one that is none."""
    import polars as pl

    hour, minute = (pl.col(column).str.extract(CLOCK, k).cast(pl.Int64) for k in (1, 2))
    half = pl.col(column).str.extract(CLOCK, 3).str.to_lowercase()
    hour = pl.when(half.is_null()).then(hour).otherwise(hour % 12 + 12 * (half == "p").cast(pl.Int64))
    wrong = frame.filter((hour > 24) | (minute > 59))
    if len(wrong):
        raise DataError(
            f"{name}: row {wrong[ROW][0]}: {column} = {wrong[column][0]!r} is no time of the day; correct it"
        )
    return frame.with_columns(pl.col(dates) + hour * 3600 + minute * 60)


def with_hours(frame: pl.DataFrame, dates: str, column: str, zone: str, name: str) -> pl.DataFrame:
    """The dates [s as if UTC] with the part of the day, as Unix seconds. Raises DataError for days that lack rows."""
    import polars as pl

    part = pl.col(column).cast(pl.String).str.extract(BEGIN).cast(pl.Int64)
    ranked = frame.with_columns(part.alias(PART))
    lacking = ranked.filter(pl.col(PART).is_null())
    if len(lacking):
        raise DataError(f"{name}: row {lacking[ROW][0]}: {column} = {lacking[column][0]!r} names no hour; correct it")
    ranked = ranked.with_columns(
        pl.col(PART).rank("ordinal").over(dates).cast(pl.Int64).alias(RANK), pl.len().over(dates).alias(ROWS)
    )
    bounds = ranked.select(pl.col(dates).alias(FIRST), (pl.col(dates) + DAY).alias(LAST), ROW)
    begin, end = (to_utc(bounds, key, zone, [ROW], name)[key] for key in (FIRST, LAST))
    length = end - begin
    usual = int(ranked[ROWS].mode().sort()[0])
    step = DAY // usual
    whole = ranked[ROWS] * step == length
    if not whole.all():
        row = ranked[ROW].filter(~whole)[0]
        raise DataError(
            f"{name}: row {row}: its day has {int(ranked[ROWS].filter(~whole)[0])} rows and takes"
            f" {int(length.filter(~whole)[0]) // step}; give whole days, or the time of each row"
        )
    return ranked.with_columns((begin + (ranked[RANK] - 1) * step).alias(dates)).drop(PART, RANK, ROWS)


PART, RANK, ROWS, FIRST, LAST = "\0part", "\0rank", "\0rows", "\0first", "\0last"
