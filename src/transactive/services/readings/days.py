"""Readings of an export by day, to be seen at a glance: what each register counted, and how much of it is there."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from transactive.metering.exports.reader import Export
from transactive.metering.exports.times import START


class DayTotals(NamedTuple):
    """Wh of each register on each local day, of all meters together; None where there is nothing."""

    days: list[date]
    registers: dict[str, list[int | None]]


def day_totals(export: Export, zone: str) -> DayTotals:
    """What an export counted on each day from its first to its last. zone: whose days."""
    import polars as pl

    sums = (pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in export.registers)
    local = pl.from_epoch(pl.col(START), "s").dt.replace_time_zone("UTC").dt.convert_time_zone(zone).dt.date()
    found = export.frame.group_by(local).agg(*sums).sort(START)
    whole = found.upsample(START, every="1d")
    return DayTotals(whole[START].to_list(), {name: whole[name].to_list() for name in export.registers})
