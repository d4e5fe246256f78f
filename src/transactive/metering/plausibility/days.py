"""A meter's readings day by day: what is kept of each day to judge the next ones by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from transactive.core.slots import DAY
from transactive.core.units import BoolArray, IntArray

FloatArray = npt.NDArray[np.float64]
Scalar = TypeVar("Scalar", bound=np.generic)
PAST_DAYS, LEAST_DAYS = 28, 7
"""MeterDays of a meter's own past that it is judged by, and fewest that say something."""
BEGINNING = 14
"""MeterDays at the beginning of a record that judge each other."""
QUANTILES = (0.25, 0.5, 0.75, 0.9)
FEW_WH = 10
"""Added before logarithms are taken: less is noise."""
NOISE = np.log2(2 * FEW_WH)
"""Highest level of a day that says nothing of a home's use: nobody was there."""
QUANTILES_OF_SHAPE = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9)
PARTS_OF_SHAPE, FEW_OF_SHAPE_WH = 8, 5
"""A day's shape is the logarithms of these quantiles, and of the means of so many parts of the day."""


@dataclass(frozen=True, slots=True, eq=False)
class MeterDays:
    """Readings [Wh] of whole UTC days, (days, slots a day, members), and which are known; the rest is padding."""

    wh: IntArray
    known: BoolArray
    before: int
    slots: int

    @classmethod
    def of(cls, first_slot: int, length: int, wh: IntArray, known: BoolArray) -> MeterDays:
        """MeterDays of (slots, members), the first and the last filled up with what is not known."""
        per_day = DAY // length
        before = first_slot % DAY // length
        after = -(before + len(wh)) % per_day
        padding = ((before, after), (0, 0))
        shape = (-1, per_day, wh.shape[1])
        return cls(np.pad(wh, padding).reshape(shape), np.pad(known, padding).reshape(shape), before, len(wh))

    def flat(self, of_days: npt.NDArray[Scalar]) -> npt.NDArray[Scalar]:
        """An array (days, slots a day, members) as (slots, members)."""
        return of_days.reshape(-1, of_days.shape[2])[self.before : self.before + self.slots]


def levels(wh: IntArray, known: BoolArray) -> FloatArray:
    """How much a meter counts on a day: mean of the logarithms (base 2) of quantiles, (days, members); NaN unknown.

    wh: (days, slots, members). A day of which half is not known has none.
    """
    values = np.where(known, wh, np.nan).astype(np.float64)
    enough = 2 * known.sum(axis=1) >= wh.shape[1]
    found = np.full(enough.shape, np.nan)
    whole = known.all(axis=(1, 2))
    found[whole] = _level(np.quantile(wh[whole], QUANTILES, axis=1))
    for day in np.flatnonzero(~whole & enough.any(axis=1)).tolist():
        there = enough[day]
        found[day, there] = _level(np.nanquantile(values[day][:, there], QUANTILES, axis=0))
    return found


def _level(quantiles: FloatArray) -> FloatArray:
    """Mean of logarithms over the first axis."""
    means: FloatArray = np.log2(quantiles + FEW_WH).mean(axis=0)
    return means


def shapes(wh: IntArray) -> FloatArray:
    """What a meter counts on a day, sorted and in the order of hours, (days, members, features) [powers of two].

    wh: (days, slots, members).
    """
    days, slots, members = wh.shape
    sorted_wh = np.quantile(wh, QUANTILES_OF_SHAPE, axis=1)
    parts = wh.reshape(days, PARTS_OF_SHAPE, slots // PARTS_OF_SHAPE, members).mean(axis=2)
    features = np.concatenate((sorted_wh.transpose(1, 2, 0), parts.transpose(0, 2, 1)), axis=2)
    found: FloatArray = np.log2(features + FEW_OF_SHAPE_WH)
    return found
