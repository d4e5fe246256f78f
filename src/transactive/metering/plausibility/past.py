"""A meter judged by its own past: days in their order, each by those before it that were believed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from transactive.core.slots import HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility import numbers
from transactive.metering.plausibility.days import BEGINNING, LEAST_DAYS, PAST_DAYS, FloatArray, MeterDays, levels
from transactive.metering.plausibility.verdicts import Doubt, ReasonArray

TIMES_BEFORE = 2
"""A reading is beyond a meter's past if it is so many times what it ever counted in a slot."""
TIMES_AT_BEGINNING = 4
"""The same where there is no past yet: of what it counted at most on the other days of the beginning."""
FLOOR_W = 4_000
"""Nothing below is beyond any past [W]: an oven and a kettle, or somebody who came home."""
POWERS_MORE = 1.0
"""Powers of two by which the level of a day must exceed all before to look like another unit."""
A_THOUSAND = 1_000
"""A day is kWh read as Wh if so many times its sum is a sum of the past, and its most is far below the past."""
READINGS_OF_A_DAY = 3
"""Fewest readings above nothing of such a day."""
NO_FACTOR = np.iinfo(np.int64).max


@dataclass(slots=True)
class Believed:
    """What is known of meters by the days before that were believed, (members,): the most in a slot, highest level."""

    most_wh: IntArray
    highest: FloatArray

    @classmethod
    def nothing(cls, members: int) -> Believed:
        """Before the first day."""
        return cls(np.zeros(members, np.int64), np.full(members, -np.inf))


@dataclass(slots=True)
class OwnPast:
    """Judges the days of one register. doubts: (days, slots a day, members), what is found is written there.

    usual: whether levels say something: they do of consumption, not of PV, whose dark days are no fault.
    """

    days: MeterDays
    length: int
    doubts: ReasonArray
    released: BoolArray
    usual: bool
    level: FloatArray = field(init=False)
    _factor: IntArray = field(init=False)
    _wh: IntArray = field(init=False)
    _begins: IntArray = field(init=False)

    def __post_init__(self) -> None:
        believed = self.days.known & (self.doubts == Doubt.NONE)
        self._wh = np.where(believed, self.days.wh, 0)
        self.level = levels(self.days.wh, believed)
        self._factor = numbers.common_factors(self.days)
        there = believed.any(axis=1)
        self._begins = np.where(there.any(axis=0), there.argmax(axis=0), len(there))

    def judge(self) -> None:
        """Go through the days; what is found of one is no past of the next."""
        before = Believed.nothing(self._wh.shape[2])
        for day, wh in enumerate(self.days.wh):
            young = day - self._begins < LEAST_DAYS
            self._doubt(day, wh > self._limits(day, before, young), Doubt.OWN_PAST)
            whole = self._other_factor(day)
            if self.usual:
                whole |= self._other_level(day, before, young)
            self._doubt(day, np.broadcast_to(whole, wh.shape), Doubt.UNIT)
            self.level[day, whole] = np.nan
            self._factor[day, whole] = 0
            self._believe(day, before)

    def _believe(self, day: int, before: Believed) -> None:
        """Add a day to what is known of the meters, as far as it is believed."""
        believed = self.days.known[day] & (self.doubts[day] == Doubt.NONE)
        before.most_wh = np.maximum(before.most_wh, np.where(believed, self.days.wh[day], 0).max(axis=0))
        before.highest = np.fmax(before.highest, self.level[day])

    def _doubt(self, day: int, found: BoolArray, doubt: Doubt) -> None:
        free = self.days.known[day] & ~self.released[day] & (self.doubts[day] == Doubt.NONE)
        self.doubts[day][found & free] = doubt

    def _limits(self, day: int, before: Believed, young: BoolArray) -> IntArray:
        """What a meter may count in a slot of a day [Wh], (members,)."""
        limits = TIMES_BEFORE * before.most_wh
        for member in np.flatnonzero(young).tolist():
            begin = int(self._begins[member])
            tops = self._wh[begin : begin + BEGINNING, :, member].max(axis=1)
            others = np.delete(tops, day - begin) if day >= begin else tops
            limits[member] = TIMES_AT_BEGINNING * int(np.median(others)) if len(others) else NO_FACTOR
        return np.maximum(limits, FLOOR_W * self.length // HOUR)

    def _other_factor(self, day: int) -> BoolArray:
        """Meters whose numbers share a factor by which units slip, and did not before, (members,)."""
        factors = self._factor[max(0, day - PAST_DAYS) : day]
        before = np.where(factors > 0, factors, NO_FACTOR).min(axis=0, initial=NO_FACTOR)
        return numbers.slipped(self._factor[day], np.where(before == NO_FACTOR, 0, before))

    def _other_level(self, day: int, before: Believed, young: BoolArray) -> BoolArray:
        """Meters that count as in another unit, all day long, (members,)."""
        past = slice(max(0, day - PAST_DAYS), day)
        known = ~np.isnan(self.level[past])
        enough = ~young & (known.sum(axis=0) >= LEAST_DAYS)
        level, found = self.level[day], np.zeros(len(young), bool)
        if not enough.any():
            return found
        found[enough] = (level > before.highest + POWERS_MORE)[enough]
        found |= enough & self._a_thousandth(day, past, known, before)
        return found

    def _a_thousandth(self, day: int, past: slice, known: BoolArray, before: Believed) -> BoolArray:
        """Meters of which the day is one of the past in thousandths, (members,)."""
        sums, now = self._wh[past].sum(axis=1), self._wh[day].sum(axis=0) * A_THOUSAND
        least = np.min(sums, axis=0, initial=NO_FACTOR, where=known)
        most = np.max(sums, axis=0, initial=0, where=known)
        same = (2 * now >= least) & (now <= 2 * most)
        far_below = self._wh[day].max(axis=0) * A_THOUSAND < 4 * before.most_wh
        found: BoolArray = same & far_below & ((self._wh[day] > 0).sum(axis=0) >= READINGS_OF_A_DAY)
        return found
