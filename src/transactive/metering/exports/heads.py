"""Heads of several rows: columns that are named by what stands below each other."""

from __future__ import annotations

import re
from collections.abc import Sequence

from transactive.metering.exports import words
from transactive.tabular.moments import looks_like_time
from transactive.tabular.sheets import Sheet
from transactive.tabular.source import ROW

LOOKED_AT = 40
"""Rows below the first row of a head among which its others are looked for."""
DIGIT = re.compile(r"\d")


def with_head(sheet: Sheet, head: Sequence[str]) -> Sheet:
    """A table whose head has several rows: a column is named by all of them, with a bar in between.

    head: first cells of these rows; an empty one is that of the row below the first.
    """
    import polars as pl

    rows = {words.plain(row[0]): row for row in sheet.above if row and row[0].strip()}
    names = tuple(sheet.columns)
    rows.setdefault(words.plain(names[0]), names)
    below = [tuple(str(cell or "") for cell in row) for row in sheet.frame.head(LOOKED_AT).drop(ROW).rows()]
    for row in below:
        rows.setdefault(words.plain(row[0]), row)
    labels = [words.plain(label) for label in head]
    parts = [rows[label] for label in labels]
    names = tuple("|".join(part[k].strip() for part in parts).rstrip("|") for k in range(len(names)))
    first = [words.plain(row[0]) for row in below]
    last = max((k + 1 for k, value in enumerate(first) if value in labels and (value or not k)), default=0)
    renamed = dict(zip(sheet.columns, (f"{name}\0{k}" for k, name in enumerate(names)), strict=True))
    frame = (
        sheet.frame.slice(last)
        .rename(renamed)
        .rename({f"{name}\0{k}": f"{name}#{k}" if name in names[:k] else name for k, name in enumerate(names)})
    )
    return Sheet(frame.with_columns(pl.col(ROW)), sheet.name, sheet.decimal_comma, sheet.above)


def two_rows(sheet: Sheet) -> tuple[str, ...]:
    """First cells of a head of two rows, the second of which has the units; nothing where there is no such row."""
    if len(sheet.frame) < 2:
        return ()
    below, next_row = ([str(cell or "").strip() for cell in row[1:]] for row in sheet.frame.head(2).rows())
    units = any(
        words.unit_of(cell) and not words.unit_of(name) for cell, name in zip(below, sheet.columns, strict=True)
    )
    values = any(DIGIT.search(cell) or looks_like_time(cell) for cell in below)
    return (sheet.columns[0], below[0]) if units and not values and any(map(DIGIT.search, next_row)) else ()
