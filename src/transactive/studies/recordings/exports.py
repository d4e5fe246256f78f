"""Any export as a table with the usual names, for studies whose columns it does not name itself."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from transactive.config.setting import load_setting
from transactive.metering.exports.reader import FORMATS, ReadOptions, read_export
from transactive.metering.exports.registers import CONSUMPTION, GENERATION, community_rows
from transactive.tabular.sheets import file_start, read_sheet
from transactive.tabular.source import ROW, FrameSource, Source

if TYPE_CHECKING:
    import polars as pl

USUAL_NAMES = (CONSUMPTION, GENERATION)
"""Columns that an export gets, Wh; beside them slot_start and member."""


def as_recording(source: Source, wanted: Collection[str], options: ReadOptions) -> Source:
    """The source itself if it has one of the wanted columns, otherwise what the reader of exports makes of it.

    With a profile the reader always reads it. A community file stands for the readings that it names, as a run takes
    them. Raises DataError for a file that has none of the columns and is no export.
    """
    if not isinstance(source, Path):
        return source
    if source.suffix == ".toml":
        return FrameSource(_of_community(source, options.profile), source.name)
    if options.profile:
        return FrameSource(_usual(source, options), source.name)
    foreign = source.is_dir() or any(form.is_one(file_start(source)) for form in FORMATS.values())
    if not foreign and (not set(wanted) <= {*USUAL_NAMES, ""} or set(wanted) & set(read_sheet(source).columns)):
        return source
    return FrameSource(_usual(source, options), source.name)


def _of_community(path: Path, profile: str | None) -> pl.DataFrame:
    """Consumption and generation of the members of a community, checked as a run checks them."""
    import polars as pl

    setting = load_setting(path, profile=profile)
    measured, ids = setting.measured, setting.community.ids
    slots, members = measured.consumption_wh.shape
    starts = measured.first_slot + np.arange(slots) * setting.community.clock.length
    columns = {CONSUMPTION: measured.consumption_wh.ravel(), GENERATION: measured.generation_wh.ravel()}
    frame = pl.DataFrame({"slot_start": starts.repeat(members), "member": list(ids) * slots, **columns})
    moment = pl.from_epoch("slot_start", "s").cast(pl.Datetime("us", "UTC"))
    return frame.with_row_index(ROW, offset=1).with_columns(moment.alias("slot_start"))


def _usual(source: Path, options: ReadOptions) -> pl.DataFrame:
    """Consumption and generation of each meter, by their usual names."""
    import polars as pl

    frame = community_rows(read_export(source, options))
    moment = pl.from_epoch(pl.col("slot_start"), "s").cast(pl.Datetime("us", "UTC"))
    return frame.select("row", moment.alias("slot_start"), pl.col("member").fill_null("meter"), *USUAL_NAMES)
