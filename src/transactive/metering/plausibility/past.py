"""A meter judged by its own past: days in their order, each by those before it that were believed."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from transactive.core.slots import HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility import numbers
from transactive.metering.plausibility.days import (
    BEGINNING,
    LEAST_DAYS,
    NOISE,
    PAST_DAYS,
    FloatArray,
    MeterDays,
    levels,
    shapes,
)
from transactive.metering.plausibility.verdicts import Doubt, ReasonArray

TIMES_BEFORE = 2
"""A reading is beyond a meter's past if it is so many times what it ever counted in a slot."""
TIMES_AT_BEGINNING = 4
"""The same where there is no past yet: of what it counted at most on the other days of the beginning."""
FLOOR_W = 4_000
"""Nothing below is beyond any past [W]: an oven and a kettle, or somebody who came home."""
POWERS_MORE = 1.0
"""Powers of two by which the level of a day must exceed all before to look like another unit."""


@dataclass(frozen=True, slots=True)
class Smaller:
    """When a day looks like one of the past in a unit smaller by a factor.

    far: powers of two by which the day differs at least from each of them; part, gain: with the factor it differs by
    less than such a part of that, and by so much less; lasts: whether after a day that was found any nearness with the
    factor is enough; days: of the past that are known at least.
    """

    factor: int
    far: float
    part: float
    gain: float
    lasts: bool
    days: int


SMALLER = (
    Smaller(4, far=0.6, part=0.4, gain=0.35, lasts=True, days=21),
    Smaller(1_000, far=1.2, part=np.inf, gain=-0.25, lasts=False, days=7),
)
"""Thousandths of most hours are nothing, and stay so: with the factor they need not come nearer."""
SILENT_DAYS = 7
"""After so many days without any energy a meter is that of an empty home, or was taken off."""
NEARLY_NOTHING = 1e-9
"""Distance of a day that is as one before, so that it can be divided by."""
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
    _shape: FloatArray = field(init=False)
    _wh: IntArray = field(init=False)
    _silent: IntArray = field(init=False)
    _smaller: IntArray = field(init=False)
    _begins: IntArray = field(init=False)

    def __post_init__(self) -> None:
        believed = self.days.known & (self.doubts == Doubt.NONE)
        self._wh = np.where(believed, self.days.wh, 0)
        self.level = levels(self.days.wh, believed)
        self._factor = numbers.common_factors(self.days)
        whole: BoolArray = np.logical_and.reduce(self.days.known, axis=1)
        self._shape = np.where(whole[..., None], shapes(self.days.wh), np.nan)
        there = believed.any(axis=1)
        self._begins = np.where(there.any(axis=0), there.argmax(axis=0), len(there))

    def judge(self) -> None:
        """Go through the days; what is found of one is no past of the next."""
        before, members = Believed.nothing(self._wh.shape[2]), self._wh.shape[2]
        self._silent, self._smaller = np.zeros(members, np.int64), np.zeros(members, np.int64)
        for day, wh in enumerate(self.days.wh):
            self._silent = np.where(self.days.known[day].all(axis=0) & ~wh.any(axis=0), self._silent + 1, 0)
            young = day - self._begins < LEAST_DAYS
            limits = self._limits(day, before, young)
            self._doubt(day, wh > limits, Doubt.OWN_PAST)
            whole = self._other_factor(day)
            if self.usual:
                whole |= self._other_level(day, before, young, limits)
            self._doubt(day, np.broadcast_to(whole, wh.shape), Doubt.UNIT)
            self.level[day, whole] = np.nan
            doubted: BoolArray = np.logical_or.reduce(self.doubts[day] != Doubt.NONE, axis=0)
            self._shape[day, doubted] = np.nan
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

    def _other_level(self, day: int, before: Believed, young: BoolArray, limits: IntArray) -> BoolArray:
        """Meters that count as in another unit, all day long, (members,)."""
        past = slice(max(0, day - PAST_DAYS), day)
        known = self.level[past] > NOISE  # an empty home tells nothing of who moves in; an unknown day is NaN
        enough = ~young & (known.sum(axis=0) >= LEAST_DAYS)
        level, found = self.level[day], np.zeros(len(young), bool)
        if not enough.any():
            self._smaller[:] = 0
            return found
        found[enough] = (level > before.highest + POWERS_MORE)[enough]
        np.logical_or(found, enough & self._too_small(day, past, limits), out=found)
        return found

    def _too_small(self, day: int, past: slice, limits: IntArray) -> BoolArray:
        """Meters of which the day is far nearer to one of the past if all of it is multiplied, (members,).

        Who is away is no nearer then: what always runs would be too much, or the day more than the meter may count in a
        slot. A unit that slipped yesterday needs less. limits: what it may count [Wh], (members,).
        """
        most = np.where(self.doubts[day] == Doubt.NONE, self.days.wh[day], 0).max(axis=0)
        earlier, found = self._shape[past], np.zeros(self._wh.shape[2], bool)
        as_it_is = _nearest(earlier, self._shape[day])
        known = (~np.isnan(earlier[..., 0])).sum(axis=0)
        yesterday, self._smaller = self._smaller, np.zeros_like(self._smaller)
        for unit in SMALLER:
            doubtful = np.isfinite(as_it_is) & (known >= unit.days) & (most * unit.factor <= limits)
            again = (yesterday[doubtful] == unit.factor) & unit.lasts
            if doubtful.any():
                multiplied = shapes(self.days.wh[day : day + 1, :, doubtful] * unit.factor)[0]
                with_it, without = _nearest(earlier[:, doubtful], multiplied), as_it_is[doubtful]
                new = (
                    (without > unit.far)
                    & (with_it / np.maximum(without, NEARLY_NOTHING) < unit.part)
                    & (without - with_it > unit.gain)
                )
                slipped = new | (again & (with_it < without))
                found[doubtful] |= slipped
                self._smaller[doubtful] = np.where(slipped, unit.factor, self._smaller[doubtful])
        silent: BoolArray = self._silent > SILENT_DAYS
        found[silent] = False
        return found


def _nearest(earlier: FloatArray, day: FloatArray) -> FloatArray:
    """Distance of a day to the nearest before, (members,); what is not known is infinitely far.

    earlier: (days, members, features); day: (members, features).
    """
    distances = np.abs(earlier - day).mean(axis=2)
    nearest: FloatArray = np.where(np.isnan(distances), np.inf, distances).min(axis=0, initial=np.inf)
    return nearest
