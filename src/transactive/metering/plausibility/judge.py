"""Judges readings before money depends on them: what each rule finds, in the order in which it convinces.

A reading is judged by what was there before it, and by its own day; more days after it change no verdict, but for a
stretch that stands still or rises across midnight.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from transactive.core.slots import HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility import numbers, together
from transactive.metering.plausibility.days import FloatArray, MeterDays
from transactive.metering.plausibility.feeder_sum import beyond_feeder, short_of_feeder
from transactive.metering.plausibility.past import OwnPast
from transactive.metering.plausibility.verdicts import Doubt, ReasonArray


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Readings to be judged, (slots, members) [Wh], from `first_slot` on [Unix s] in slots of `length` [s].

    refused: what cannot be was found before, as doubts. released: readings that somebody answered for. feeder_wh: what
    the transformer gave less what it took, (slots,), if it is measured. day_start: when a day of the members begins [s
    after midnight in UTC]: who collects makes faults by their days.
    """

    first_slot: int
    length: int
    consumption_wh: IntArray
    generation_wh: IntArray
    known: BoolArray
    refused: ReasonArray
    released: BoolArray
    feeder_wh: IntArray | None = None
    day_start: int = 0

    @property
    def first_of_days(self) -> int:
        """The first slot on a clock whose midnight is where days begin [s]."""
        return self.first_slot - self.day_start


def judge(read: Judged) -> ReasonArray:
    """The first doubt that is found of each reading, of its consumption or its generation, (slots, members)."""
    doubts = read.refused.copy()
    level = _of_register(read, read.consumption_wh, doubts, usual=True)
    _of_register(read, read.generation_wh, doubts, usual=False)
    free = read.known & ~read.released
    days = MeterDays.of(read.first_of_days, read.length, read.consumption_wh, read.known)
    shifted = np.broadcast_to(together.shifted_days(level)[:, None, None], days.wh.shape)
    _add(doubts, days.flat(shifted) & free, Doubt.TOGETHER)
    at_once = together.silent_or_repeated(read.consumption_wh, read.known)
    _add(doubts, at_once[:, None] & free, Doubt.TOGETHER)
    if read.feeder_wh is not None:
        net = read.consumption_wh - read.generation_wh
        believed = read.known & (doubts == Doubt.NONE)
        _add(doubts, beyond_feeder(net, believed, read.feeder_wh, read.length) & free, Doubt.FEEDER)
        registers = (read.consumption_wh, read.generation_wh)
        short = short_of_feeder(registers, read.known, read.feeder_wh, read.first_of_days, read.length)
        _add(doubts, (short[0] | short[1]) & free, Doubt.UNIT)
    return doubts


def _of_register(read: Judged, wh: IntArray, doubts: ReasonArray, *, usual: bool) -> FloatArray:
    """Doubts about one register, added to those that are there; returns the levels of its days as they were read."""
    free = read.known & ~read.released
    mine = doubts.copy()
    ever = _usual_top(wh, free & (mine == Doubt.NONE))
    _add(mine, numbers.codes(wh) & (wh > 2 * ever) & free, Doubt.ERROR_CODE)
    _add(mine, numbers.rising(wh, read.known, read.length) & free, Doubt.RISING)
    _add(mine, numbers.stuck(wh, read.known, read.length) & free, Doubt.STUCK)
    days = MeterDays.of(read.first_of_days, read.length, wh, read.known)
    by_day = MeterDays.of(read.first_of_days, read.length, mine.astype(np.int64), read.known).wh.astype(np.int8)
    released = MeterDays.of(read.first_of_days, read.length, wh, read.released).known
    past = OwnPast(days, read.length, by_day, released, usual)
    level = past.level.copy()
    past.judge()
    found = days.flat(by_day)
    _add(doubts, np.ones(doubts.shape, bool), found)
    _add(doubts, _beside((found == Doubt.UNIT) & (mine != Doubt.UNIT), max(HOUR // read.length, 1)) & free, Doubt.UNIT)
    return level


def _beside(found: BoolArray, slots: int) -> BoolArray:
    """So many slots before and after what is found: half of the year local days begin an hour before those here."""
    near = np.zeros_like(found)
    for by in range(1, slots + 1):
        near[by:] |= found[:-by]
        near[:-by] |= found[by:]
    return near & ~found


def _usual_top(wh: IntArray, known: BoolArray) -> IntArray:
    """What a meter counts at most but for one reading in a hundred, (members,) [Wh]."""
    top = np.zeros(wh.shape[1], np.int64)
    for member in range(wh.shape[1]):
        there = wh[known[:, member], member]
        top[member] = np.sort(there)[len(there) * 99 // 100] if len(there) else 0
    return top


def _add(doubts: ReasonArray, found: BoolArray, doubt: Doubt | ReasonArray) -> None:
    """Write a doubt where it is found and none was before."""
    np.copyto(doubts, np.int8(doubt) if isinstance(doubt, Doubt) else doubt, where=found & (doubts == Doubt.NONE))
