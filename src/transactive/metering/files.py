"""Readings from CSV or Parquet files, checked before anything is used.

Columns: slot_start, member, consumption_wh, generation_wh, one row a member and slot, every slot present for every
member. Times are RFC 3339 with a zone.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.tables import Measured
from transactive.core.units import IntArray
from transactive.tabular.columns import read_columns, refuse
from transactive.tabular.slots import consecutive, refuse_off_grid
from transactive.tabular.source import Source

if TYPE_CHECKING:
    import polars as pl

CONSUMPTION, GENERATION = "consumption_wh", "generation_wh"
LARGEST_WH = 10**9
"""Most energy of one meter in one slot [Wh]: a megawatt for a thousand hours is a register reset, not a reading."""


def read_measured(
    path: Source, members: Sequence[str], length: int, most_generation_wh: Sequence[int], ignore: Sequence[str] = ()
) -> Measured:
    """Recorded consumption and generation of `members` in slots of `length` [s].

    most_generation_wh: what each member's PV can give in a slot at most [Wh]. ignore: members of the file that do not
    take part. Raises DataError naming file, row and column, or member and time, of the first fault.
    """
    import polars as pl

    frame = read_columns(path, ["slot_start"], [CONSUMPTION, GENERATION], ["member"])
    frame = frame.filter(~pl.col("member").is_in(list(ignore)))
    _refuse_unknown(frame, members, path)
    for column in (CONSUMPTION, GENERATION):
        energy = pl.col(column)
        refuse(frame, energy < 0, column, path, "energy is not negative; was the register reset or the meter changed?")
        refuse(frame, energy > LARGEST_WH, column, path, "no meter measures that much in a slot; is it a register?")
    refuse_off_grid(frame, length, path)
    _refuse_impossible(frame, members, most_generation_wh, path)
    double = frame.select("slot_start", "member").is_duplicated() if len(frame) else frame["member"].is_null()
    refuse(frame, pl.lit(double), "member", path, "this member and slot stand there twice; keep one row")
    starts = consecutive(frame["slot_start"].unique().sort().to_numpy(), length, path)
    if len(frame) != len(starts) * len(members):
        _name_gap(frame, starts, members, path)
    frame = frame.sort("slot_start", "member")
    order = np.argsort(np.argsort(np.array(members)))  # the file is now sorted by id, the community is not
    consumption, generation = (
        frame[column].to_numpy().reshape(len(starts), len(members))[:, order] for column in (CONSUMPTION, GENERATION)
    )
    return Measured(int(starts[0]), consumption, generation)


def _refuse_unknown(frame: pl.DataFrame, members: Sequence[str], path: Source) -> None:
    """Refuse rows of members that the community does not name, and members without rows."""
    import polars as pl

    unknown = frame.filter(~pl.col("member").is_in(list(members)))
    if len(unknown):
        first = unknown.row(0, named=True)
        near = difflib.get_close_matches(first["member"], members, 1)
        hint = f"did you mean {near[0]}?" if near else "add it to the community or to data.ignore"
        raise DataError(
            f"{path.name}: row {first['row']}: member = {first['member']!r} is not in the community; {hint}"
        )
    missing = sorted(set(members) - set(frame["member"].unique()))
    if missing:
        raise DataError(f"{path.name}: no reading of member {missing[0]}; add its rows or take it out of the community")


def _refuse_impossible(frame: pl.DataFrame, members: Sequence[str], most_wh: Sequence[int], path: Source) -> None:
    """Refuse generation beyond what a member's PV can give."""
    import polars as pl

    limits = pl.DataFrame({"member": list(members), "most_wh": list(most_wh)}, schema_overrides={"most_wh": pl.Int64})
    beyond = frame.join(limits, on="member", maintain_order="left").filter(pl.col(GENERATION) > pl.col("most_wh"))
    if len(beyond):
        first = beyond.row(0, named=True)
        raise DataError(
            f"{path.name}: row {first['row']}: {GENERATION} = {first[GENERATION]}: the PV of {first['member']} can give"
            f" {first['most_wh']} Wh in a slot at most; correct pv_w or the reading"
        )


def _name_gap(frame: pl.DataFrame, starts: IntArray, members: Sequence[str], path: Source) -> None:
    """Raise DataError for the first member and slot that is missing."""
    import polars as pl

    for member in members:
        have = frame.filter(pl.col("member") == member)["slot_start"].to_numpy()
        lacking = np.setdiff1d(starts, have)
        if len(lacking):
            raise DataError(f"{path.name}: no reading of {member} at {time_text(int(lacking[0]))}; fill the gap")
