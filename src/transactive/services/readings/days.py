"""Readings of an export by day, to be seen at a glance: what each register counted, and how much of it is there."""

from __future__ import annotations

from typing import NamedTuple

from transactive.core.slots import DAY
from transactive.metering.exports.reader import Export
from transactive.metering.exports.times import START


class DayTotals(NamedTuple):
    """Wh of each register on each UTC day [Unix s], of all meters together; None where there is nothing."""

    days: list[int]
    registers: dict[str, list[int | None]]


def day_totals(export: Export) -> DayTotals:
    """What an export counted on each day from its first to its last."""
    import polars as pl

    sums = (pl.when(pl.col(name).count() > 0).then(pl.col(name).sum()).alias(name) for name in export.registers)
    found = export.frame.group_by(pl.col(START) // DAY * DAY).agg(*sums).sort(START)
    begin, end = int(found[START][0]), int(found[START][-1])
    whole = pl.DataFrame({START: range(begin, end + DAY, DAY)}).join(found, on=START, how="left", maintain_order="left")
    return DayTotals(whole[START].to_list(), {name: whole[name].to_list() for name in export.registers})
