"""Measuring: work and its reference in turn, in one process, so that a busy machine slows both alike.

A ratio of two medians compares moments that may lie seconds apart; the median of the pairwise ratios does not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log
from statistics import linear_regression, median
from time import perf_counter
from typing import TypeAlias

from transactive.bench.report import Row
from transactive.core.errors import require

Work: TypeAlias = Callable[[], object]

PER_SECOND = {"s": 1.0, "ms": 1e3, "µs": 1e6}
"""Units of time."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Known work that a figure is compared with."""

    name: str
    work: Work


@dataclass(frozen=True, slots=True)
class BenchTimer:
    """Clock of a run: `timer` returns seconds and never goes back.

    runs: how often a bench whose run takes minutes repeats it; None for as often as it says itself.
    """

    timer: Callable[[], float] = perf_counter
    runs: int | None = None

    def time(
        self,
        name: str,
        work: Work,
        reference: Reference | None = None,
        *,
        unit: str = "ms",
        repeats: int,
        warm_up: int = 1,
    ) -> Row:
        """Measure how long `work` takes: median of `repeats` after `warm_up` unmeasured rounds.

        unit: s, ms or µs. ratio: time of the work / time of the reference.
        """
        times = self._rounds(work, reference, repeats, warm_up)
        in_unit = PER_SECOND[unit]
        return _row(name, unit, reference, [(own * in_unit, other * in_unit) for own, other in times])

    def rate(
        self,
        name: str,
        work: Work,
        reference: Reference | None = None,
        *,
        count: float,
        unit: str,
        repeats: int,
        warm_up: int = 1,
    ) -> Row:
        """Measure how many of `count` things `work` does per second; the reference does as many.

        ratio: rate of the work / rate of the reference, so twice as fast is 2.
        """
        times = self._rounds(work, reference, repeats, warm_up)
        return _row(name, unit, reference, [(count / own, count / other if other else 0.0) for own, other in times])

    def first_call(self, name: str, work: Work, *, unit: str = "ms") -> Row:
        """Measure one call that nothing warmed up; call it before any other measurement of the same work."""
        return Row(name=name, value=self._seconds(work) * PER_SECOND[unit], unit=unit)

    def _rounds(self, work: Work, reference: Reference | None, repeats: int, warm_up: int) -> list[tuple[float, float]]:
        """Seconds of work and reference (0 without one) in each of the measured rounds."""
        times = [
            (self._seconds(work), self._seconds(reference.work) if reference else 0.0) for _ in range(warm_up + repeats)
        ]
        return times[warm_up:]

    def _seconds(self, work: Work) -> float:
        """Seconds that one call takes."""
        start = self.timer()
        work()
        return self.timer() - start


def _row(name: str, unit: str, reference: Reference | None, pairs: list[tuple[float, float]]) -> Row:
    """Medians of value and reference, and the median of their pairwise ratios."""
    require(bool(pairs), f"the bench measures {name!r} at least once")
    value = median(own for own, _ in pairs)
    if reference is None:
        return Row(name=name, value=value, unit=unit)
    return Row(
        name=name,
        value=value,
        unit=unit,
        reference=reference.name,
        reference_value=median(other for _, other in pairs),
        ratio=median(own / other for own, other in pairs),
    )


def growth_exponent(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Exponent with which time grows with size, by least squares of the logarithms: 1 is in proportion."""
    x, y = ([log(value) for value in values] for values in (sizes, seconds))
    return linear_regression(x, y).slope
