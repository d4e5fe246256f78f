"""Readings and surroundings from CSV or Parquet files, checked before anything is used.

Readings: slot_start, member, consumption_wh, generation_wh, one row a member and slot, every slot present for every
member. Environment: slot_start, import_price_micro_per_kwh, grid_carbon_g_per_kwh or what `grid_mix` names, and, for a
levy that follows it, carbon_price_micro_per_t. Times are RFC 3339 with a zone.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.tables import Environment, Measured
from transactive.core.units import PPM, IntArray
from transactive.environment import grid_mix
from transactive.tabular.columns import open_columns, read_columns, refuse
from transactive.environment.grid_mix import CARBON

if TYPE_CHECKING:
    import polars as pl

CONSUMPTION, GENERATION = "consumption_wh", "generation_wh"
PRICE, CARBON_PRICE = "import_price_micro_per_kwh", "carbon_price_micro_per_t"
TEMPERATURE = "temperature_c"
LARGEST_WH = 10**9
"""Most energy of one meter in one slot [Wh]: a megawatt for a thousand hours is a register reset, not a reading."""


def read_measured(
    path: Path, members: Sequence[str], length: int, most_generation_wh: Sequence[int], ignore: Sequence[str] = ()
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
    _refuse_off_grid(frame, length, path)
    _refuse_impossible(frame, members, most_generation_wh, path)
    double = frame.select("slot_start", "member").is_duplicated() if len(frame) else frame["member"].is_null()
    refuse(frame, pl.lit(double), "member", path, "this member and slot stand there twice; keep one row")
    starts = _consecutive(frame["slot_start"].unique().sort().to_numpy(), length, path)
    if len(frame) != len(starts) * len(members):
        _name_gap(frame, starts, members, path)
    frame = frame.sort("slot_start", "member")
    order = np.argsort(np.argsort(np.array(members)))  # the file is now sorted by id, the community is not
    consumption, generation = (
        frame[column].to_numpy().reshape(len(starts), len(members))[:, order] for column in (CONSUMPTION, GENERATION)
    )
    return Measured(int(starts[0]), consumption, generation)


def read_environment(
    path: Path, length: int, *, carbon_price: bool = False, sources: Mapping[str, int] | None = None
) -> Environment:
    """Supply price, grid intensity, what else of the grid and the weather is there and, if asked, the price of carbon.

    length: of a slot [s]. sources: factors of the grid's sources [g/kWh], where its mix is to be read. Raises DataError
    naming file, row and column.
    """
    import polars as pl

    sources = sources or {}
    grid_mix.check_names(open_columns(path).columns, sources, path)
    numbers = [PRICE, *([] if sources else [CARBON]), *([CARBON_PRICE] if carbon_price else [])]
    spare = grid_mix.spare_numbers(sources)
    frame = read_columns(path, ["slot_start"], numbers, spare_numbers=spare, spare_decimals=[TEMPERATURE])
    frame = frame.with_columns(pl.lit(0, pl.Int64).alias(CARBON_PRICE)) if not carbon_price else frame
    if not sources:
        refuse(frame, pl.col(CARBON) < 0, CARBON, path, "carbon intensity is not negative")
    refuse(frame, pl.col(CARBON_PRICE) < 0, CARBON_PRICE, path, "a price of carbon is not negative")
    _refuse_off_grid(frame, length, path)
    refuse(
        frame, pl.col("slot_start").is_duplicated(), "slot_start", path, "this slot stands there twice; keep one row"
    )
    frame = frame.sort("slot_start")
    starts = _consecutive(frame["slot_start"].to_numpy(), length, path)
    prices, carbon = (frame[column].to_numpy() for column in (PRICE, CARBON_PRICE))
    generated, claimed = grid_mix.by_source(frame, sources, path)
    return Environment(
        int(starts[0]),
        prices,
        grid_mix.intensity(generated, sources) if sources else frame[CARBON].to_numpy(),
        carbon,
        _temperature(frame, path),
        grid_mix.series(frame, grid_mix.MARGINAL, path),
        grid_mix.series(frame, grid_mix.FREE, path, PPM),
        generated,
        claimed,
    )


def _temperature(frame: pl.DataFrame, path: Path) -> IntArray:
    """Temperature of each slot [0.1 °C], or nothing where the file has none."""
    import polars as pl

    if frame[TEMPERATURE].is_null().all():
        return np.empty(0, np.int64)
    refuse(
        frame, pl.col(TEMPERATURE).is_null(), TEMPERATURE, path, "a value is missing; fill it in, or drop the column"
    )
    refuse(frame, ~pl.col(TEMPERATURE).is_between(-90, 60), TEMPERATURE, path, "is no temperature outdoors [°C]")
    return frame.select((pl.col(TEMPERATURE) * 10).round().cast(pl.Int64))[TEMPERATURE].to_numpy()


def _refuse_unknown(frame: pl.DataFrame, members: Sequence[str], path: Path) -> None:
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


def _refuse_off_grid(frame: pl.DataFrame, length: int, path: Path) -> None:
    """Refuse times that do not start a slot."""
    import polars as pl

    off = frame.filter(pl.col("slot_start") % length != 0)
    if len(off):
        first = off.row(0, named=True)
        raise DataError(
            f"{path.name}: row {first['row']}: {time_text(first['slot_start'])} does not start a slot of"
            f" {length // 60} minutes; correct the time or market.slot_minutes"
        )


def _refuse_impossible(frame: pl.DataFrame, members: Sequence[str], most_wh: Sequence[int], path: Path) -> None:
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


def _consecutive(starts: IntArray, length: int, path: Path) -> IntArray:
    """Starts of slots, sorted, once they are without a gap."""
    steps = np.flatnonzero(np.diff(starts) != length)
    if len(steps):
        here, following = (int(starts[steps[0] + k]) for k in (0, 1))
        raise DataError(
            f"{path.name}: after slot {time_text(here)} comes {time_text(following)}; fill the gap, slot by slot"
        )
    return starts


def _name_gap(frame: pl.DataFrame, starts: IntArray, members: Sequence[str], path: Path) -> None:
    """Raise DataError for the first member and slot that is missing."""
    import polars as pl

    for member in members:
        have = frame.filter(pl.col("member") == member)["slot_start"].to_numpy()
        lacking = np.setdiff1d(starts, have)
        if len(lacking):
            raise DataError(f"{path.name}: no reading of {member} at {time_text(int(lacking[0]))}; fill the gap")
