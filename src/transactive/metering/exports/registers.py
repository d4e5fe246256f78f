"""From what meters count to what a community is told: consumption, generation, and what flowed both ways in a slot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transactive.core.errors import DataError
from transactive.core.slots import HOUR, time_text
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.reader import FEW, Export
from transactive.metering.exports.times import START
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

CONSUMPTION, GENERATION, BOTH_WAYS = "consumption_wh", "generation_wh", "both_ways_wh"
STANDBY_W = 20
"""What a PV may take at night [W]; more below zero is no standby."""
ENERGY_IS_NOT_NEGATIVE = "energy is not negative; was the register reset or the meter changed?"


def community_rows(export: Export, *, negative_is_gap: bool = False) -> pl.DataFrame:
    """Rows of member, slot_start [Unix s], consumption_wh, generation_wh, both_ways_wh and quality.

    both_ways_wh: taken and given in the same slot as the grid's registers counted, which nobody may net. A file with
    the grid's registers alone has import as consumption and export as generation: what was used behind the meter is
    not in it. Null where the file has no value. Raises DataError for energy below zero; with negative_is_gap a few such
    readings have no value, as the fault codes that they are.
    """
    import polars as pl

    frame, there = export.frame, export.registers
    if "net" in there:
        frame = _split_net(frame, "net")
    elif "consumption" in there and is_net(export):
        frame = _split_net(frame, "consumption")
    elif "export" in there and "consumption" in there and not {"import", "generation"} & set(there):
        frame = frame.rename({"consumption": "import"})  # what was used beyond the grid's register, nobody counted
    frame = _standby(frame, export)
    there = [name for name in frame.columns if name not in (ROW, METER, START, QUALITY)]
    for register in there:
        if negative_is_gap and (frame[register] < 0).sum() * FEW <= len(frame):
            frame = frame.with_columns(pl.when(pl.col(register) >= 0).then(register).alias(register))
        _refuse_negative(frame, register, export)
    known, nothing = pl.col, pl.lit(0, pl.Int64)
    if "import" in there or "export" in there:
        took = _or_none(frame, known("import"), "import") if "import" in there else nothing
        gave = _or_none(frame, known("export"), "export") if "export" in there else nothing
        made = known("generation").fill_null(gave) if "generation" in there else gave
        used = known("consumption") if "consumption" in there else took + made - gave
        both = pl.min_horizontal(took, gave)
        bad = frame.filter(used < 0)
        if len(bad):
            raise DataError(
                f"{export.name}: row {bad[ROW][0]}: {bad['export'][0]} Wh were given, and only"
                f" {bad['generation'][0]} generated; is a battery's discharge missing? leave the column of"
                " generation out"
                " in a profile, or correct it"
            )
    else:
        used = known("consumption") if "consumption" in there else nothing
        made = known("generation") if "generation" in there else nothing
        used, made = (_or_none(frame, column, name) for column, name in ((used, "consumption"), (made, "generation")))
        both = nothing
    return frame.select(
        ROW, pl.col(METER).alias("member"), pl.col(START).alias("slot_start"), used.alias(CONSUMPTION),
        made.alias(GENERATION), both.alias(BOTH_WAYS), QUALITY,
    )  # fmt: skip


def _or_none(frame: pl.DataFrame, energy: pl.Expr, name: str) -> pl.Expr:
    """Energy of a register, 0 for a meter that has none of it at all; a single value that is missing stays missing."""
    import polars as pl

    if name not in frame.columns or not frame[name].null_count():
        return energy
    return pl.when(pl.col(name).count().over(METER) == 0).then(0).otherwise(energy)


def is_net(export: Export) -> bool:
    """Whether consumption goes below zero where nothing is generated: then it is import less export."""
    import polars as pl

    lowest = pl.col("consumption").min() * HOUR < -STANDBY_W * export.length
    made = export.frame["generation"].max() if "generation" in export.registers else 0
    return bool(export.frame.select(lowest).item()) and not made


def _split_net(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The two registers of a signed column; a meter nets within its slot, so only one of them counts."""
    import polars as pl

    taken, given = pl.max_horizontal(pl.col(column), 0), pl.max_horizontal(-pl.col(column), 0)
    empty = pl.col(column).is_null()
    dropped = [name for name in (column, "generation") if name in frame.columns]
    return frame.with_columns(
        pl.when(~empty).then(taken).alias("import"), pl.when(~empty).then(given).alias("export")
    ).drop(dropped)


def _standby(frame: pl.DataFrame, export: Export) -> pl.DataFrame:
    """A few Wh below zero that a PV takes at night are consumption."""
    import polars as pl

    if not {"consumption", "generation"} <= set(frame.columns) or int(frame["generation"].min() or 0) >= 0:  # type: ignore[arg-type]
        return frame
    few = (pl.col("generation") < 0) & (-pl.col("generation") * HOUR <= STANDBY_W * export.length)
    return frame.with_columns(
        pl.when(few).then(pl.col("consumption") - pl.col("generation")).otherwise("consumption").alias("consumption"),
        pl.when(few).then(0).otherwise("generation").alias("generation"),
    )


def _refuse_negative(frame: pl.DataFrame, register: str, export: Export) -> None:
    import polars as pl

    bad = frame.filter(pl.col(register) < 0)
    if len(bad):
        first = bad.row(0, named=True)
        raise DataError(
            f"{export.name}: row {first[ROW]}: {_written(register, export)} = {first[register]} at"
            f" {time_text(first[START])}:"
            f' {ENERGY_IS_NOT_NEGATIVE} If it is import less export, say register = "net" in a profile'
        )


def _written(register: str, export: Export) -> str:
    """Name of a register's column as the file has it, or of the register in a message."""
    return next((rule.column for rule in export.profile.registers if rule.register == register), register)
