"""Readings and surroundings from CSV or Parquet files, checked before anything is used.

Readings: slot_start, member, consumption_wh, generation_wh, one row a member and slot, every slot present for every
member. Environment: slot_start, import_price_micro_per_kwh, grid_carbon_g_per_kwh. Times are UTC.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.tables import Environment, Measured
from transactive.core.units import IntArray

if TYPE_CHECKING:
    import polars as pl

READING_COLUMNS = ("slot_start", "member", "consumption_wh", "generation_wh")
ENVIRONMENT_COLUMNS = ("slot_start", "import_price_micro_per_kwh", "grid_carbon_g_per_kwh")


def read_measured(path: Path, members: Sequence[str], length: int) -> Measured:
    """Recorded consumption and generation of the named members in slots of `length` [s].

    Members of the file that the community does not name are left out. Raises DataError naming file, column, member or
    time of the first fault.
    """
    import polars as pl

    frame = _read(path, READING_COLUMNS).filter(pl.col("member").is_in(list(members))).sort("slot_start", "member")
    _refuse_missing_values(frame, path)
    for column in READING_COLUMNS[2:]:
        negative = frame.filter(pl.col(column) < 0)
        if len(negative):
            first = negative.row(0, named=True)
            raise DataError(
                f"{path.name}: {column} of {first['member']} at {time_text(first['slot_start'])} is negative;"
                " a register never runs backwards"
            )
    missing = sorted(set(members) - set(frame["member"].unique()))
    if missing:
        raise DataError(f"{path.name}: no reading of member {missing[0]}; add its rows or take it out of the community")
    starts = _consecutive(frame["slot_start"].unique().sort().to_numpy(), length, path)
    double = frame.filter(frame.select("slot_start", "member").is_duplicated())
    if len(double):
        first = double.row(0, named=True)
        raise DataError(f"{path.name}: two rows for {first['member']} at {time_text(first['slot_start'])}; keep one")
    if len(frame) != len(starts) * len(members):
        _name_gap(frame, starts, members, path)
    order = np.argsort(np.argsort(np.array(members)))  # the file is sorted by id, the community is not
    shape = (len(starts), len(members))
    consumption, generation = (
        frame[column].to_numpy().astype(np.int64).reshape(shape)[:, order] for column in READING_COLUMNS[2:]
    )
    return Measured(int(starts[0]), consumption, generation)


def read_environment(path: Path, length: int) -> Environment:
    """Supply price and grid intensity in slots of `length` [s]. Raises DataError naming file and column or time."""
    frame = _read(path, ENVIRONMENT_COLUMNS).sort("slot_start")
    _refuse_missing_values(frame, path)
    starts = _consecutive(frame["slot_start"].to_numpy(), length, path)
    price, carbon = (frame[column].to_numpy().astype(np.int64) for column in ENVIRONMENT_COLUMNS[1:])
    return Environment(int(starts[0]), price, carbon)


def _read(path: Path, columns: Sequence[str]) -> pl.DataFrame:
    """The named columns of a file, with slot_start as Unix seconds."""
    import polars as pl

    try:
        frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_csv(path, try_parse_dates=True)
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; correct the path in [data]") from None
    except pl.exceptions.PolarsError as error:
        raise DataError(f"{path.name}: cannot be read: {str(error).splitlines()[0]}") from error
    absent = [column for column in columns if column not in frame.columns]
    if absent:
        raise DataError(f"{path.name}: column {absent[0]} is missing; needed are {', '.join(columns)}")
    frame = frame.select(columns)
    dtype = frame.schema["slot_start"]
    if not isinstance(dtype, pl.Datetime) or dtype.time_zone is None:
        raise DataError(f"{path.name}: slot_start has no zone; write times like 2017-06-05T00:00:00Z")
    for column in columns:
        if column.endswith(("_wh", "_kwh")) and not frame.schema[column].is_integer():
            raise DataError(f"{path.name}: {column} must be whole numbers")
    return frame.with_columns(pl.col("slot_start").dt.epoch("s"))


def _refuse_missing_values(frame: pl.DataFrame, path: Path) -> None:
    if frame.is_empty():
        raise DataError(f"{path.name}: no rows; give at least one day of history and the slots to run")
    for column in frame.columns:
        if frame[column].null_count():
            raise DataError(f"{path.name}: {column} has an empty value in row {frame[column].is_null().arg_max()}")


def _consecutive(starts: IntArray, length: int, path: Path) -> IntArray:
    """Starts of slots, once they are on the grid and without a gap or a double."""
    off_grid = np.flatnonzero(starts % length)
    if len(off_grid):
        raise DataError(
            f"{path.name}: {time_text(int(starts[off_grid[0]]))} does not start a slot of {length // 60} minutes"
        )
    steps = np.flatnonzero(np.diff(starts) != length)
    if len(steps):
        here, following = (int(starts[steps[0] + k]) for k in (0, 1))
        what = "is there twice" if here == following else f"is followed by {time_text(following)}"
        raise DataError(f"{path.name}: slot {time_text(here)} {what}; every slot must be there once")
    return starts


def _name_gap(frame: pl.DataFrame, starts: IntArray, members: Sequence[str], path: Path) -> None:
    """Raise a DataError for the first slot that lacks a member."""
    import polars as pl

    for member in members:
        have = frame.filter(pl.col("member") == member)["slot_start"].to_numpy()
        lacking = np.setdiff1d(starts, have)
        if len(lacking):
            raise DataError(f"{path.name}: no reading of {member} at {time_text(int(lacking[0]))}; fill the gap")
