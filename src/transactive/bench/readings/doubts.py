"""How much of honest readings is held, and of how many faults something would be billed, kind by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.config.setting import load_setting
from transactive.config.shipped import DEMO
from transactive.core.slots import DAY, HOUR
from transactive.core.units import BoolArray, IntArray
from transactive.metering.plausibility.judge import Judged, judge
from transactive.metering.plausibility.verdicts import Doubt

Fault = Callable[[IntArray], IntArray]
PLACES, PAST_DAYS, FIRST_DAY = 3, 35, 36
"""Faults of each kind and home; days that are known before each; the first day that one may begin on."""
ONE_READING, DAYS = (1,), (24, 48, 168)
KINDS: Mapping[str, tuple[tuple[int, ...], Fault]] = {
    "a fault code": (ONE_READING, lambda wh: wh * 0 + 65_535),
    "a reading by 1,000": (ONE_READING, lambda wh: wh * 1_000),
    "days in thousandths": (DAYS, lambda wh: wh // 1_000),
    "days by 1,000": (DAYS, lambda wh: wh * 1_000),
    "days by 4": (DAYS, lambda wh: wh * 4),
    "days by a quarter": (DAYS, lambda wh: wh // 4),
    "days of a register": (DAYS, lambda wh: np.cumsum(wh) + 1_000_000),
    "days of one number": (DAYS, lambda wh: wh * 0 + 613),
}
"""Hours that a fault may last, and what it makes of honest readings."""
SLIPPED = ("days in thousandths", "days by a quarter")
"""Kinds that a feeder's own meter shows where a home's past does not."""
LOSSES, OFF_WH = 50, 100
"""The feeder of the bench loses one Wh in so many, and its meter is off by up to so many Wh."""


@bench("doubts", summary="honest readings that are held, and faults of one meter of which something is billed")
def doubts(_: BenchTimer) -> Iterator[Row]:
    """Measure on a year of the demo's fourteen sound houses, one meter at a time, without a feeder."""
    read = load_setting(DEMO).verdicts
    if read is not None:
        before = -read.first_slot % DAY // read.length
        homes = [wh[before:] for wh in (read.consumption_wh, read.generation_wh)]
        yield from measured(list(homes[0].T), read.length)
        yield from with_feeder(homes[0], homes[1], read.length)


def measured(homes: list[IntArray], length: int) -> Iterator[Row]:
    """Figures of homes, each (slots,) [Wh] from a midnight on; below zero is not known."""
    held = sum(int(found_in(home, length)[home >= 0].sum()) for home in homes)
    known = sum(int((home >= 0).sum()) for home in homes)
    yield Row(name="honest readings held", value=100 * held / known, unit="%")
    rng = np.random.default_rng(14)
    for kind, (hours, fault) in KINDS.items():
        tried = [billed(home, length, hour, fault, rng) for home in homes for hour in hours for _ in range(PLACES)]
        faults = [found for found in tried if found is not None]
        yield Row(name=f"{kind}: something billed", value=sum(faults), unit=f"of {len(faults)}")


def billed(home: IntArray, length: int, hours: int, fault: Fault, rng: np.random.Generator) -> bool | None:
    """Whether something of a fault at a drawn place would be billed; None if it changes nothing there."""
    per_day, slots = DAY // length, max(hours * HOUR // length, 1)
    day = int(rng.integers(FIRST_DAY, len(home) // per_day - slots // per_day - 1))
    begin = PAST_DAYS * per_day + (int(rng.integers(per_day)) if hours == 1 else 0)
    honest = home[(day - PAST_DAYS) * per_day :][: begin + slots + per_day]
    faulty, where = honest.copy(), slice(begin, begin + slots)
    faulty[where] = np.where(honest[where] >= 0, fault(honest[where]), honest[where])
    wrong: BoolArray = faulty != honest
    return bool((wrong & ~found_in(faulty, length)).any()) if wrong.any() else None


def with_feeder(consumption_wh: IntArray, generation_wh: IntArray, length: int) -> Iterator[Row]:
    """Figures of all homes, (slots, homes) [Wh], behind one transformer whose own energy is measured too."""
    rng = np.random.default_rng(14)
    net = (consumption_wh - generation_wh).sum(axis=1)
    feeder = net + np.abs(net) // LOSSES + rng.integers(-OFF_WH, OFF_WH + 1, len(net))
    per_day, homes = DAY // length, consumption_wh.shape[1]
    honest = _held_behind(consumption_wh, generation_wh, feeder, length)
    yield Row(name="honest readings held, with a feeder", value=100 * float(honest.mean()), unit="%")
    for kind in SLIPPED:
        hours, fault = KINDS[kind]
        tried = found = 0
        for home in range(homes):
            for count in hours:
                begin = int(rng.integers(FIRST_DAY, len(net) // per_day - count // 24 - 1)) * per_day
                part = slice(begin - PAST_DAYS * per_day, begin + count * HOUR // length)
                where = slice(PAST_DAYS * per_day, None)
                faulty = consumption_wh[part].copy()
                faulty[where, home] = fault(faulty[where, home])
                wrong: BoolArray = faulty != consumption_wh[part]
                held = _held_behind(faulty, generation_wh[part], feeder[part], length)
                tried += bool(wrong.any())
                found += bool((wrong & ~held).any())
        yield Row(name=f"{kind}, with a feeder: something billed", value=found, unit=f"of {tried}")


def _held_behind(consumption_wh: IntArray, generation_wh: IntArray, feeder_wh: IntArray, length: int) -> BoolArray:
    """What is held of meters behind one transformer, (slots, homes)."""
    nothing = np.zeros(consumption_wh.shape, np.int8)
    known = np.ones(consumption_wh.shape, bool)
    read = Judged(0, length, consumption_wh, generation_wh, known, nothing, nothing.astype(bool), feeder_wh)
    held: BoolArray = judge(read) != Doubt.NONE
    return held


def found_in(home: IntArray, length: int) -> BoolArray:
    """What is held of one meter's readings, (slots,)."""
    wh, known = np.maximum(home, 0)[:, None], (home >= 0)[:, None]
    nothing = np.zeros(wh.shape, np.int64)
    read = Judged(0, length, wh, nothing, known, nothing.astype(np.int8), nothing.astype(bool))
    found: BoolArray = judge(read)[:, 0] != Doubt.NONE
    return found
