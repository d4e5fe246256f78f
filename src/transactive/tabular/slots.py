"""Times of a file as slots: on the grid of the market, and without a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.tabular.source import Source

if TYPE_CHECKING:
    import polars as pl


def refuse_off_grid(frame: pl.DataFrame, length: int, path: Source) -> None:
    """Refuse times that do not start a slot."""
    import polars as pl

    off = frame.filter(pl.col("slot_start") % length != 0)
    if len(off):
        first = off.row(0, named=True)
        raise DataError(
            f"{path.name}: row {first['row']}: {time_text(first['slot_start'])} does not start a slot of"
            f" {length // 60} minutes; correct the time or market.slot_minutes"
        )


def consecutive(starts: IntArray, length: int, path: Source, advice: str = "") -> IntArray:
    """Starts of slots, sorted, once they are without a gap. advice: what else to do about one."""
    steps = np.flatnonzero(np.diff(starts) != length)
    if len(steps):
        here, following = (int(starts[steps[0] + k]) for k in (0, 1))
        raise DataError(
            f"{path.name}: after slot {time_text(here)} comes {time_text(following)}; fill the gap, slot by slot"
            f"{advice}"
        )
    return starts
