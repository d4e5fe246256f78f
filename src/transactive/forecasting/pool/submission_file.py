"""Forecasts of a community total in a file: a row for each slot, five quantiles in whole Wh."""

from __future__ import annotations

from pathlib import Path

from transactive.core.errors import DataError, InputError
from transactive.core.slots import time_text
from transactive.forecasting.pool.submissions import require_quantiles
from transactive.tabular.columns import read_columns

QUANTILES = ("q05_wh", "q25_wh", "q50_wh", "q75_wh", "q95_wh")
"""Columns beside `slot_start`, one for each level."""


def read_submissions(path: Path, length: int) -> dict[int, tuple[int, ...]]:
    """Quantiles by slot [Unix s] of a CSV or Parquet, in slots of `length` [s]. Raises DataError."""
    frame = read_columns(path, ["slot_start"], list(QUANTILES))
    found: dict[int, tuple[int, ...]] = {}
    for slot, *quantiles in frame.select("slot_start", *QUANTILES).iter_rows():
        place = f"{path.name}: slot_start {time_text(slot)}"
        if slot in found:
            raise DataError(f"{place} stands there twice; keep one row")
        if slot % length:
            raise DataError(f"{place} begins no slot of {length // 60} minutes; correct it")
        try:
            require_quantiles(quantiles)
        except InputError as error:
            raise DataError(f"{place}: {error}") from None
        found[slot] = tuple(quantiles)
    return found
