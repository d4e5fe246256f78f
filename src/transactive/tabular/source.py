"""Where columns come from: a file, or a table that is in memory already."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, eq=False)
class FrameSource:
    """A table in memory, and what messages call it."""

    frame: pl.DataFrame
    name: str


Source: TypeAlias = Path | FrameSource
"""A CSV or Parquet file, or a table in memory."""


def first_row(source: Source) -> int:
    """Number of the first row: an editor's line below the header of a CSV, 1 in a Parquet file, 0 in memory."""
    if isinstance(source, FrameSource):
        return 0
    return 2 if source.suffix == ".csv" else 1
