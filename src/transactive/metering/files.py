"""Readings of a community from any export, checked before anything is used.

What ends here is a reading of every member in every slot: whole Wh of consumption and generation, and how good it is.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import HOUR, time_text
from transactive.core.tables import Measured, ReadingQuality
from transactive.core.units import BoolArray, IntArray
from transactive.metering.exports.energy import LARGEST_WH
from transactive.metering.exports.layout import METER
from transactive.metering.exports.reader import Export, ReadOptions, read_export
from transactive.metering.exports.registers import BOTH_WAYS, CONSUMPTION, GENERATION, community_rows
from transactive.metering.homes import MeterOwners
from transactive.metering.longer_slots import in_longer_slots
from transactive.metering.plausibility.judge import Judged
from transactive.metering.plausibility.policy import ReadingPolicy
from transactive.metering.plausibility.verdicts import Doubt, ReasonArray, Verdicts
from transactive.metering.substitution import substituted
from transactive.tabular.columns import refuse
from transactive.tabular.slots import refuse_off_grid
from transactive.tabular.source import FrameSource, Source

if TYPE_CHECKING:
    import polars as pl

NUMBERS = (CONSUMPTION, GENERATION, BOTH_WAYS)


@dataclass(frozen=True, slots=True)
class MeterLimits:
    """Members in their order with what their homes can do in a slot at most [Wh]: generate, and take from the grid.

    owners: whose meters a file names, and when they are members; None where each has one under its own name.
    """

    members: Sequence[str]
    generation_wh: Sequence[int]
    import_wh: Sequence[int | None]
    owners: MeterOwners | None = None

    @property
    def meters(self) -> Sequence[str]:
        """Names that a file may give its rows."""
        return self.members if self.owners is None else self.owners.known


def read_measured(
    source: Source,
    limits: MeterLimits,
    length: int,
    ignore: Sequence[str] = (),
    options: ReadOptions = ReadOptions(),  # noqa: B008
    policy: ReadingPolicy = ReadingPolicy(),  # noqa: B008
    more: Sequence[Path] = (),
) -> tuple[Measured, Verdicts]:
    """Recorded consumption and generation of members in slots of `length` [s], and the verdicts on what was read.

    ignore: meters of the file that do not take part. What the policy substitutes is flagged. more: files of readings
    that go before the source, and each before the earlier ones, where both have a meter and slot.
    Raises DataError naming file, row and column, or member and time, of the first fault.
    """
    import polars as pl

    parts = [_of_members(source, limits, length, ignore, options, policy)]
    parts += [_of_members(path, limits, length, ignore, ReadOptions(), policy) for path in more]
    frame = parts[0].frame
    if more:
        whole = pl.concat([part.frame for part in parts])
        frame = whole.unique(["member", "slot_start"], keep="last", maintain_order=True)
    where = FrameSource(frame, parts[0].name)
    if limits.owners is not None:
        frame = limits.owners.gathered(frame, where, substitute=policy.substitute)
    _refuse_absent(frame, limits.members, where.name)
    if not policy.substitute:
        _refuse_impossible(frame, limits, length, where)
    return _laid_out(frame, limits, length, where, policy)


def _of_members(
    source: Source,
    limits: MeterLimits,
    length: int,
    ignore: Sequence[str],
    options: ReadOptions,
    policy: ReadingPolicy,
) -> FrameSource:
    """Rows of one source, each of a meter of the community, once they can be energy of its slots."""
    import polars as pl

    export = read_export(source, replace(options, length=length))
    kept = export.frame.filter(~pl.col(METER).is_in(list(ignore)) | pl.col(METER).is_null())
    export = replace(export, frame=kept)
    _refuse_unknown(kept, limits.meters, export.name)
    frame = _named(community_rows(export, negative_is_gap=policy.substitute), limits.meters, export)
    where = FrameSource(frame, export.name)
    _refuse_unseen_generation(export, limits)
    if export.length < length and not length % export.length:
        refuse_off_grid(frame, export.length, where)
        where = FrameSource(in_longer_slots(frame, export.length, length), export.name)
    elif export.length != length:
        raise DataError(
            f"{export.name}: has slots of {export.length // 60} minutes, market.slot_minutes says {length // 60};"
            " give both alike, or shorter slots that make whole ones"
        )
    frame = where.frame
    refuse_off_grid(frame, length, where)
    for column in (CONSUMPTION, GENERATION):
        much = pl.col(column) > LARGEST_WH
        refuse(frame, much, column, where, "no meter measures that much in a slot; is it a register?")
    return where


def _refuse_unseen_generation(export: Export, limits: MeterLimits) -> None:
    """Refuse readings that say nothing of what members took, or of what a member's PV gave."""
    if not {"consumption", "import", "net"} & set(export.registers):
        raise DataError(
            f"{export.name}: no column says what members took, such as consumption_wh or import (kWh); add it"
        )
    if {"generation", "export", "net"} & set(export.registers):
        return
    having = next((m for m, wh in zip(limits.members, limits.generation_wh, strict=True) if wh), None)
    if having:
        raise DataError(
            f"{export.name}: no column says what the PV of {having} gave, such as generation_wh or export (kWh); add"
            " it, or"
            " take pv_w out of the community"
        )


def _named(frame: pl.DataFrame, members: Sequence[str], export: Export) -> pl.DataFrame:
    """Rows with a member each: a file that names no meter can only be the one member's."""
    import polars as pl

    if not frame["member"].null_count():
        return frame
    if frame["member"].drop_nulls().len():
        row = frame.filter(pl.col("member").is_null())["row"][0]
        raise DataError(f"{export.name}: row {row}: no meter stands there; name whose reading it is")
    if len(members) > 1:
        raise DataError(
            f"{export.name}: no column says whose readings these are, and the community has {len(members)} members;"
            " add a"
            " column member, or give a folder with a file a meter named after it"
        )
    return frame.with_columns(pl.lit(members[0]).alias("member"))


def _laid_out(
    frame: pl.DataFrame, limits: MeterLimits, length: int, where: FrameSource, policy: ReadingPolicy
) -> tuple[Measured, Verdicts]:
    """Readings on the grid of slots; a gap is refused, naming it, or substituted and flagged, as is what is held."""
    members = limits.members
    first, last = (int(value) for value in (frame["slot_start"].min(), frame["slot_start"].max()))  # type: ignore[arg-type]
    slots = (last - first) // length + 1
    rows = (frame["slot_start"].to_numpy() - first) // length
    columns = frame["member"].replace_strict(list(members), list(range(len(members)))).to_numpy()
    known = np.zeros((slots, len(members)), bool)
    known[rows, columns] = frame[CONSUMPTION].is_not_null().to_numpy() & frame[GENERATION].is_not_null().to_numpy()
    tables = []
    for name in NUMBERS:
        table = np.zeros((slots, len(members)), np.int64)
        table[rows, columns] = frame[name].fill_null(0).to_numpy()
        tables.append(table)
    quality = np.full(known.shape, int(ReadingQuality.METERED), np.int64)
    quality[rows, columns] = frame["quality"].to_numpy()
    if not known.all() and not policy.substitute:
        _name_gap(known, first, length, members, where)
    refused, nobody = _impossible(tables[0], tables[1], limits), np.zeros(known.shape, bool)
    verdicts = policy.verdicts(Judged(first, length, tables[0], tables[1], known, refused, nobody), members)
    good = known & (verdicts.doubts == Doubt.NONE)
    if not good.all():
        tables = substituted(tables, good, length, members, first, where.name)
        quality[~good] = int(ReadingQuality.SUBSTITUTED)
        if policy.late:
            quality[~known] = int(ReadingQuality.AS_TRADED)
        quality[verdicts.held & ~verdicts.closed] = int(ReadingQuality.HELD)
    nothing = np.empty(0, np.int64)
    both = tables[2] if tables[2].any() else nothing
    return Measured(first, tables[0], tables[1], both, quality if quality.any() else nothing), verdicts


def _impossible(consumption: IntArray, generation: IntArray, limits: MeterLimits) -> ReasonArray:
    """Readings that a home cannot have, as doubts, (slots, members)."""
    doubts = np.zeros(consumption.shape, np.int8)
    most = [consumption.max(initial=0) if wh is None else wh for wh in limits.import_wh]
    doubts[consumption - generation > np.array(most, np.int64)] = Doubt.CONNECTION
    doubts[generation > np.array(limits.generation_wh, np.int64)] = Doubt.PV
    return doubts


def _refuse_unknown(frame: pl.DataFrame, members: Sequence[str], name: str) -> None:
    """Refuse rows of meters that the community does not name."""
    import polars as pl

    unknown = frame.filter(~pl.col(METER).is_in(list(members)))
    if len(unknown):
        first = unknown.row(0, named=True)
        near = difflib.get_close_matches(first[METER], members, 1)
        hint = f"did you mean {near[0]}?" if near else "add it to the community or to data.ignore"
        raise DataError(f"{name}: row {first['row']}: member = {first[METER]!r} is not in the community; {hint}")


def _refuse_absent(frame: pl.DataFrame, members: Sequence[str], name: str) -> None:
    """Refuse members without rows."""
    missing = sorted(set(members) - set(frame["member"].unique()))
    if missing:
        raise DataError(f"{name}: no reading of member {missing[0]}; add its rows or take it out of the community")


def _refuse_impossible(frame: pl.DataFrame, limits: MeterLimits, length: int, where: FrameSource) -> None:
    """Refuse generation beyond what a member's PV can give, and import beyond what its connection carries."""
    import polars as pl

    most = pl.DataFrame(
        {"member": list(limits.members), "made": list(limits.generation_wh), "taken": list(limits.import_wh)},
        schema_overrides={"made": pl.Int64, "taken": pl.Int64},
    )
    frame = frame.join(most, on="member", maintain_order="left")
    beyond = frame.filter(pl.col(GENERATION) > pl.col("made"))
    if len(beyond):
        first = beyond.row(0, named=True)
        raise DataError(
            f"{where.name}: row {first['row']}: {GENERATION} = {first[GENERATION]}: the PV of {first['member']} can"
            " give"
            f" {first['made']} Wh in a slot at most; correct pv_w or the reading"
        )
    net = pl.col(CONSUMPTION) - pl.col(GENERATION)
    beyond = frame.filter(net > pl.col("taken")).with_columns(net.alias("net"))
    if len(beyond):
        first = beyond.sort("net", descending=True).row(0, named=True)
        watts = first["net"] * HOUR // length
        raise DataError(
            f"{where.name}: row {first['row']}: {CONSUMPTION} = {first[CONSUMPTION]}: {first['net']:,} Wh in"
            f" {length // 60} minutes are {watts:,} W, and the connection of {first['member']} carries"
            f" {first['taken'] * HOUR // length:,} W; is the unit right ([data] unit)? Otherwise correct"
            " connection_w or"
            " the reading"
        )


def _name_gap(known: BoolArray, first: int, length: int, members: Sequence[str], where: FrameSource) -> None:
    """Raise DataError for the first slot that nobody has, or else the first member and slot that is missing."""
    silent: BoolArray = np.logical_not(known.any(axis=1))
    if silent.any() and len(members) > 1:
        at = int(silent.argmax())
        here, after = first + (at - 1) * length, first + int((~silent[at:]).argmax() + at) * length
        raise DataError(
            f"{where.name}: after slot {time_text(here)} comes {time_text(after)}; fill the gap, slot by slot, or say"
            ' gaps = "substitute" or "late" under [data]'
        )
    member = int((~known).any(axis=0).argmax())
    slot = int((~known[:, member]).argmax())
    raise DataError(
        f"{where.name}: no reading of {members[member]} at {time_text(first + slot * length)}; fill the gap, or say"
        ' gaps = "substitute" or "late" under [data]'
    )
