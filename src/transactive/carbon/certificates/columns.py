"""Parts of a table, most rows of which have no energy, as one table by device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.units import IntArray

Part = tuple[IntArray | int, ...]
"""Columns of one length, the first one devices; a number stands for a column of it."""


def by_device(parts: Sequence[Part], wh: int) -> list[IntArray]:
    """Columns of all rows with energy, which column `wh` has, by rising device; of one device as the parts stand."""
    rows = [np.flatnonzero(part[wh]) for part in parts]
    columns = [
        np.concatenate([_some(part[k], some) for part, some in zip(parts, rows, strict=True)])
        for k in range(len(parts[0]))
    ]
    order = np.argsort(columns[0], kind="stable")
    return [column[order] for column in columns]


def _some(column: IntArray | int, rows: IntArray) -> IntArray:
    """Some rows of a column."""
    return np.full(len(rows), column, np.int64) if isinstance(column, int) else column[rows]
