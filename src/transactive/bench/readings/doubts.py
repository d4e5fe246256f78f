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


@bench("doubts", summary="honest readings that are held, and faults of one meter of which something is billed")
def doubts(_: BenchTimer) -> Iterator[Row]:
    """Measure on a year of the demo's fourteen sound houses, one meter at a time, without a feeder."""
    read = load_setting(DEMO).verdicts
    if read is not None:
        before = -read.first_slot % DAY // read.length
        yield from measured(list(read.consumption_wh[before:].T), read.length)


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


def found_in(home: IntArray, length: int) -> BoolArray:
    """What is held of one meter's readings, (slots,)."""
    wh, known = np.maximum(home, 0)[:, None], (home >= 0)[:, None]
    nothing = np.zeros(wh.shape, np.int64)
    read = Judged(0, length, wh, nothing, known, nothing.astype(np.int8), nothing.astype(bool))
    found: BoolArray = judge(read)[:, 0] != Doubt.NONE
    return found
