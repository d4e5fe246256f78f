"""Local times of a clock that is changed twice a year, as Unix seconds.

In the hour that comes twice, the first row of a series is the earlier one and the second the later: files keep their
order. Where such a time stands there once only, nobody can tell which it is, and it is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.tabular.moments import OFFSET
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl


def to_utc(frame: pl.DataFrame, column: str, zone: str, series: list[str], name: str) -> pl.DataFrame:
    """A column of local times, in seconds as if UTC, to Unix seconds. series: columns that tell whose time it is.

    Raises DataError for a time that the clock never showed, and for one that it showed twice and the file once.
    """
    import polars as pl

    offset = OFFSET.match(zone)
    if offset:
        sign = 1 if offset[1] == "+" else -1
        return frame.with_columns(pl.col(column) - sign * (int(offset[2]) * 3600 + int(offset[3]) * 60))
    if zone == "UTC":
        return frame
    naive = pl.from_epoch(pl.col(column), "s")
    distinct = frame.select(pl.col(column).unique().sort()).with_columns(
        *(
            naive.dt.replace_time_zone(zone, ambiguous=which, non_existent="null").dt.epoch("s").alias(which)
            for which in ("earliest", "latest")
        )
    )
    _refuse_never_shown(frame, distinct, column, zone, name)
    frame = frame.join(distinct, on=column, how="left", maintain_order="left")
    twice = frame["earliest"] != frame["latest"]
    if not twice.any():
        return frame.with_columns(pl.col("earliest").alias(column)).drop("earliest", "latest")
    later = _later_ones(frame, column, twice, series, zone, name)
    moment = pl.when(later).then("latest").otherwise("earliest")
    return frame.with_columns(moment.alias(column)).drop("earliest", "latest")


def _later_ones(
    frame: pl.DataFrame, column: str, twice: pl.Series, series: list[str], zone: str, name: str
) -> pl.Series:
    """Which rows are the second showing of a time that the clock showed twice."""
    import polars as pl

    few = frame.with_row_index("place").filter(twice)
    if _runs_backwards(frame, column):
        few = few.reverse()
    keys = [*series, column]
    few = few.with_columns(pl.int_range(pl.len()).over(keys).alias("nth"), pl.len().over(keys).alias("times"))
    alone = few.filter(pl.col("times") == 1)
    if len(alone):
        first = alone.sort(ROW).row(0, named=True)
        raise DataError(
            f"{name}: row {first[ROW]}: {_wall(first[column])} came twice in {zone} and stands there once; add the"
            " other reading, or give the times an offset"
        )
    later = pl.repeat(value=False, n=len(frame), eager=True)
    return later.scatter(few.filter(pl.col("nth") > 0)["place"], values=True)


def _refuse_never_shown(frame: pl.DataFrame, distinct: pl.DataFrame, column: str, zone: str, name: str) -> None:
    import polars as pl

    never = distinct.filter(pl.col("earliest").is_null() & pl.col(column).is_not_null())
    if len(never):
        local = never[column][0]
        row = frame.filter(pl.col(column) == local)[ROW][0]
        raise DataError(
            f"{name}: row {row}: {_wall(local)} never was in {zone}, where the clock was put forward; if the file keeps"
            " winter time all the year, give its zone like +01:00"
        )


def _runs_backwards(frame: pl.DataFrame, column: str) -> bool:
    """Whether a file's newest rows stand first."""
    times = frame[column].drop_nulls()
    return bool(len(times) and times[0] > times[-1])


def _wall(local: int) -> str:
    """A local time as the wall clock showed it."""
    return time_text(local).removesuffix("Z")
