"""The verdict on each reading: billed, held until somebody answers, or refused; and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from transactive.core.units import BoolArray, IntArray

ReasonArray = npt.NDArray[np.int8]


class Doubt(IntEnum):
    """Why a reading is not billed as it stands. Below `NEGATIVE` somebody may release it; from there on nobody can."""

    NONE = 0
    ERROR_CODE = 1
    OWN_PAST = 2
    UNIT = 3
    RISING = 4
    STUCK = 5
    TOGETHER = 6
    FEEDER = 7
    NEGATIVE = 8
    PV = 9
    CONNECTION = 10

    @property
    def words(self) -> str:
        """The reason as a clause."""
        return WORDS[self]


WORDS = {
    Doubt.NONE: "nothing speaks against it",
    Doubt.ERROR_CODE: "a number that meters send for a fault",
    Doubt.OWN_PAST: "far more than this meter ever counted",
    Doubt.UNIT: "the whole day looks like another unit",
    Doubt.RISING: "rises slot after slot, as a register does",
    Doubt.STUCK: "the same number again and again",
    Doubt.TOGETHER: "all meters changed at once",
    Doubt.FEEDER: "more than the feeder gave",
    Doubt.NEGATIVE: "energy below zero",
    Doubt.PV: "more than the PV can give",
    Doubt.CONNECTION: "more than the connection carries",
}


@dataclass(frozen=True, slots=True, eq=False)
class Verdicts:
    """Doubts about readings of consecutive slots from `first_slot` on, as they were read [Wh], (slots, members).

    closed: held readings that wait no more, as somebody refused them or the term is over.
    """

    first_slot: int
    length: int
    doubts: ReasonArray
    consumption_wh: IntArray
    generation_wh: IntArray
    closed: BoolArray

    @classmethod
    def none(cls, first_slot: int, length: int, shape: tuple[int, ...]) -> Verdicts:
        """Nothing was judged."""
        wh = np.zeros(shape, np.int64)
        return cls(first_slot, length, np.zeros(shape, np.int8), wh, wh, np.zeros(shape, bool))

    @property
    def held(self) -> BoolArray:
        """Readings that are not believed and that somebody may release."""
        waiting: BoolArray = (self.doubts > Doubt.NONE) & (self.doubts < Doubt.NEGATIVE)
        return waiting

    @property
    def refused(self) -> BoolArray:
        """Readings that cannot be."""
        impossible: BoolArray = self.doubts >= Doubt.NEGATIVE
        return impossible
