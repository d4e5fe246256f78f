"""Local times of a clock that is changed twice a year, as Unix seconds.

In the hour that comes twice, the first row of a series is the earlier one and the second the later: files keep their
order. Where such a time stands there once only, nobody can tell which it is, and it is refused.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import DAY, time_text
from transactive.core.units import IntArray
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
    local = frame[column]
    wall = local.fill_null(0).to_numpy()
    there = local.drop_nulls()
    changes = _changes(zone, int(there.min() or 0), int(there.max() or 0))  # type: ignore[arg-type]
    early, late = (_moved(wall, changes, later=later) for later in (False, True))
    _refuse_never_shown(frame, wall, changes, column, zone, name)
    twice = pl.Series(early != late) & local.is_not_null()
    moment = pl.Series(column, early, dtype=pl.Int64)
    if twice.any():
        later_ones = _later_ones(frame, column, twice, series, zone, name)
        moment = pl.Series(column, late, dtype=pl.Int64).zip_with(later_ones, moment)
    if local.null_count():
        moment = pl.select(pl.when(local.is_not_null()).then(moment).alias(column)).to_series()
    return frame.with_columns(moment)


def without_idle_hours(frame: pl.DataFrame, column: str, zone: str, numbers: list[str]) -> pl.DataFrame:
    """Rows without those of an hour that the clock left out in spring, as far as nothing flowed in them.

    A file that gives every day 24 hours has them empty, or zero in all columns of `numbers`.
    """
    import polars as pl

    if OFFSET.match(zone) or zone == "UTC" or not frame[column].drop_nulls().len():
        return frame
    local = pl.col(column)
    _, changes = _changes(zone, int(frame[column].min()), int(frame[column].max()))  # type: ignore[arg-type]
    never = [(local >= one.at + one.before) & (local < one.at + one.after) for one in changes]
    places = frame.select(pl.any_horizontal(never).fill_null(value=False)).to_series().arg_true() if never else None
    if places is None or not len(places):
        return frame
    nothing = [
        pl.col(name).cast(pl.String).str.strip_chars().str.contains(r"^-?[0.,]*$").fill_null(value=True)
        for name in numbers
    ]
    idle = frame[places].select(pl.all_horizontal(nothing)).to_series()
    return frame.filter(pl.repeat(value=True, n=len(frame), eager=True).scatter(places.filter(idle), values=False))


class _Change(NamedTuple):
    """The clock is changed at `at` [Unix s] from one distance to UTC to another [s]."""

    at: int
    before: int
    after: int


def _changes(zone: str, first: int, last: int) -> tuple[int, list[_Change]]:
    """The clock's distance to UTC [s] before local times from `first` to `last`, and its changes until after them."""
    known, found = ZoneInfo(zone), list[_Change]()

    def distance(at: int) -> int:
        return int(datetime.fromtimestamp(at, known).utcoffset().total_seconds())  # type: ignore[union-attr]

    begin = first - 2 * DAY
    at, before = begin, distance(begin)
    while at < last + 2 * DAY:
        after = distance(at + DAY)
        if after != before:
            low, high = at, at + DAY
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if distance(middle) == before else (low, middle)
            found.append(_Change(high, before, after))
        at, before = at + DAY, after
    return distance(begin), found


def _moved(wall: IntArray, changes: tuple[int, list[_Change]], *, later: bool) -> IntArray:
    """Local times as Unix seconds: the earlier or the later one of a time that the clock showed twice."""
    first, found = changes
    bounds = [one.at + (one.after if later else max(one.before, one.after)) for one in found]
    distances = np.array([first, *(one.after for one in found)], np.int64)
    moved: IntArray = wall - distances[np.searchsorted(np.array(bounds, np.int64), wall, side="right")]
    return moved


def _later_ones(
    frame: pl.DataFrame, column: str, twice: pl.Series, series: list[str], zone: str, name: str
) -> pl.Series:
    """Which rows are the second showing of a time that the clock showed twice."""
    import polars as pl

    places = twice.arg_true()
    few = frame.select(ROW, *dict.fromkeys((*series, column)))[places].with_columns(places.alias("place"))
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


def _refuse_never_shown(
    frame: pl.DataFrame, wall: IntArray, changes: tuple[int, list[_Change]], column: str, zone: str, name: str
) -> None:
    for change in changes[1]:
        never = (wall >= change.at + change.before) & (wall < change.at + change.after)
        if never.any():
            place = int(never.argmax())
            raise DataError(
                f"{name}: row {frame[ROW][place]}: {_wall(frame[column][place])} never was in {zone}, where the clock"
                " was put forward; if the file keeps winter time all the year, give its zone like +01:00"
            )


def _runs_backwards(frame: pl.DataFrame, column: str) -> bool:
    """Whether newer rows stand before older ones: by most steps, as parts of a file may stand in another order."""
    steps = frame[column].drop_nulls().diff().drop_nulls()
    return int((steps < 0).sum()) > int((steps > 0).sum())


def _wall(local: int) -> str:
    """A local time as the wall clock showed it."""
    return time_text(local).removesuffix("Z")
