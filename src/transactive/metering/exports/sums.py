"""Rows that say nothing of a slot: sums of others, of a day or of all, and what programs write below a table."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import TYPE_CHECKING

from transactive.metering.exports import words
from transactive.tabular.decimals import is_empty
from transactive.tabular.sheets import Sheet

if TYPE_CHECKING:
    import polars as pl

SPAN = "sub|sous|zwischen|tages|wochen|monats|jahres|gesamt|end|grand|daily|monthly|dag|maand"
SUM = rf"(?:{SPAN})?[- ]?(?:{'|'.join(words.TOTAL)})\b"
"""How a cell begins that says that its row adds others up."""


def without_totals(sheet: Sheet) -> pl.DataFrame:
    """Rows without those that add others up, as they say in their first cell."""
    import polars as pl

    frame, first = sheet.frame, sheet.columns[0]
    if frame.schema[first] != pl.String:
        return frame
    ends = pl.concat([frame.head(5), frame.tail(5)])[first].drop_nulls()
    if not any(re.match(SUM, words.plain(value)) for value in ends):
        return frame
    said = pl.col(first).str.strip_chars().str.to_lowercase().str.contains(f"^{SUM}").fill_null(value=False)
    return frame.filter(~said)


def without_remarks(frame: pl.DataFrame, bad: pl.Expr, numbers: Collection[str]) -> pl.DataFrame:
    """Rows without those that have no time and no number either. bad: whether the time of a row was not read."""
    import polars as pl

    there = [name for name in numbers if name in frame.columns]
    empty = pl.all_horizontal(is_empty(pl.col(name), frame.schema[name]) for name in there)
    return frame.filter(~(bad & empty)) if there else frame
