"""Any export as a table with the usual names, for studies whose columns it does not name itself."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.metering.exports.profile import Told
from transactive.metering.exports.reader import FORMATS, ReadOptions, read_export
from transactive.metering.exports.registers import CONSUMPTION, GENERATION, community_rows
from transactive.tabular.sheets import file_start, read_sheet
from transactive.tabular.source import FrameSource, Source

if TYPE_CHECKING:
    import polars as pl

USUAL_NAMES = (CONSUMPTION, GENERATION)
"""Columns that an export gets, Wh; beside them slot_start and member."""


def as_recording(source: Source, wanted: Collection[str], zone: str | None) -> Source:
    """The source itself if it has one of the wanted columns, otherwise what the reader of exports makes of it.

    zone: of times without one. Raises DataError for a file that has none of the columns and is no export.
    """
    if not isinstance(source, Path):
        return source
    foreign = source.is_dir() or any(form.is_one(file_start(source)) for form in FORMATS.values())
    if not foreign and (not set(wanted) <= {*USUAL_NAMES, ""} or set(wanted) & set(read_sheet(source).columns)):
        return source
    return FrameSource(_usual(source, zone), source.name)


def _usual(source: Path, zone: str | None) -> pl.DataFrame:
    """Consumption and generation of each meter, by their usual names."""
    import polars as pl

    frame = community_rows(read_export(source, ReadOptions(told=Told(zone=zone))))
    moment = pl.from_epoch(pl.col("slot_start"), "s").cast(pl.Datetime("us", "UTC"))
    return frame.select("row", moment.alias("slot_start"), pl.col("member").fill_null("meter"), *USUAL_NAMES)
