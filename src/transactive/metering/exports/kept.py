"""Readings as they are kept: one form that every command reads without a question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transactive.core.tables import ReadingQuality
from transactive.metering.exports.layout import METER, QUALITY
from transactive.metering.exports.reader import Export
from transactive.metering.exports.times import START
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

METERED, ESTIMATED = "metered", "estimated"


def kept_readings(export: Export) -> pl.DataFrame:
    """A table of slot_start in UTC, member, whole Wh of each register, and quality, by time and member."""
    import polars as pl

    names = {register: f"{register}_wh" for register in export.registers}
    good = pl.col(QUALITY) == int(ReadingQuality.METERED)
    return (
        export.frame.drop(ROW)
        .select(
            pl.from_epoch(pl.col(START), "s").cast(pl.Datetime("us", "UTC")).alias("slot_start"),
            pl.col(METER).fill_null("").alias("member"),
            *(pl.col(register).alias(name) for register, name in names.items()),
            pl.when(good).then(pl.lit(METERED)).otherwise(pl.lit(ESTIMATED)).alias(QUALITY),
        )
        .sort("slot_start", "member")
    )
