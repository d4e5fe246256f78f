"""Readings of shorter slots than the market's, added up: quarters of an hour to an hour, minutes to a quarter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from transactive.metering.exports.layout import QUALITY
from transactive.metering.exports.registers import BOTH_WAYS, CONSUMPTION, GENERATION
from transactive.tabular.source import ROW

if TYPE_CHECKING:
    import polars as pl

MEMBER, SLOT = "member", "slot_start"


def in_longer_slots(frame: pl.DataFrame, length: int, wanted: int) -> pl.DataFrame:
    """Rows as `community_rows` gives them in slots of `wanted` [s], a multiple of their `length` [s].

    A slot that lacks a part has no row, and one that lacks a value of a part has none: what a part brought is never
    guessed. What was taken in one part and given in another flowed both ways, and is not netted. The worst quality of
    the parts is that of the slot.
    """
    import polars as pl

    net = pl.col(CONSUMPTION) - pl.col(GENERATION)
    both = pl.col(BOTH_WAYS).fill_null(0)
    took, gave = (pl.max_horizontal(way, 0) + both for way in (net, -net))
    parts = frame.with_columns(pl.col(SLOT) // wanted * wanted, took.alias("took"), gave.alias("gave"))
    whole = (
        pl.when(pl.col(name).null_count() == 0).then(pl.col(name).sum()).alias(name)
        for name in (CONSUMPTION, GENERATION)
    )
    slots = parts.group_by([MEMBER, SLOT], maintain_order=True).agg(
        pl.col(ROW).min(), *whole, pl.min_horizontal(pl.col("took").sum(), pl.col("gave").sum()).alias(BOTH_WAYS),
        pl.col(QUALITY).max(), pl.len().alias("parts"),
    )  # fmt: skip
    return slots.filter(pl.col("parts") == wanted // length).select(frame.columns)
