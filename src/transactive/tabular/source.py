"""Where columns come from: a file, or a table that is in memory already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import polars as pl

ROW = "row"
"""Column with the number of a row as an editor, a spreadsheet or a library counts it."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameSource:
    """A table in memory, and what messages call it; rows are counted from 0 unless a column ROW numbers them."""

    frame: pl.DataFrame
    name: str


Source: TypeAlias = Path | FrameSource
"""A file with a table, or a table in memory."""


def first_row(source: Source) -> int:
    """Number of the first row: an editor's line below the head of a text, 1 in a Parquet file, 0 in memory."""
    if isinstance(source, FrameSource):
        return 0
    return 1 if source.suffix == ".parquet" else 2
