"""The feeder's own meter: what the transformer gave, slot by slot, to be set against the meters behind it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.tabular.columns import read_columns

FEEDER = "feeder_wh"


def read_feeder(path: Path, first: int, slots: int, length: int) -> IntArray:
    """Net energy of the transformer [Wh] in slots of `length` [s] from `first` [Unix s], (slots,).

    Negative where it took more than it gave. Raises DataError naming file, row, column, or the first slot without a
    reading.
    """
    frame = read_columns(path, ["slot_start"], [FEEDER])
    starts, values = frame["slot_start"].to_numpy(), frame[FEEDER].to_numpy()
    wanted = first + length * np.arange(slots)
    found, rows = np.unique(starts, return_index=True)
    if len(found) < len(starts):
        twice = int(found[np.unique(starts, return_counts=True)[1].argmax()])
        raise DataError(f"{path.name}: slot_start {time_text(twice)} stands there twice; keep one row")
    place = np.searchsorted(found, wanted).clip(max=len(found) - 1)
    missing = found[place] != wanted
    if missing.any():
        at = time_text(int(wanted[missing.argmax()]))
        raise DataError(f"{path.name}: has no reading of {at}; give every slot of the readings")
    feeder: IntArray = values[rows[place]]
    return feeder
