"""When the intervals of events and reports begin and end.

A period of an interval counts before that of its event. An interval without a start begins as the one before it ends,
the first at the start of the event. Source: OpenADR 3.1 User Guide, intervals.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from transactive.core.errors import DataError
from transactive.core.slots import DAY
from transactive.protocols.openadr.objects import IntervalPeriod, ValuesMap, WireInterval

DURATION = re.compile(
    r"P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
SECONDS = {"weeks": 7 * DAY, "days": DAY, "hours": 3_600, "minutes": 60, "seconds": 1}
TIMES = range(253_402_300_800)
"""Times that can be [Unix s]: from 1970 to the end of the year 9999."""
FOREVER = 10**12
"""End of what does not end [Unix s]."""
ENDLESS = "P9999Y"
"""A duration without an end, as the document says it."""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval in time, from `start` to before `end` [Unix s], and what holds in it."""

    start: int
    end: int
    payloads: tuple[ValuesMap, ...]


def seconds_of(duration: str) -> int:
    """A duration [s]; none where it does not end. Raises DataError for months and years, which have no one length."""
    if duration == ENDLESS:
        return 0
    found = DURATION.fullmatch(duration)
    if found is None:
        raise DataError(f"duration {duration}: whole seconds, minutes, hours or days are understood, as in PT15M")
    parts = {name: int(value) for name, value in found.groupdict().items() if value}
    if parts.pop("years", 0) + parts.pop("months", 0):
        raise DataError(f"duration {duration}: months and years have no one length; give days or hours, as in P30D")
    return sum(value * SECONDS[name] for name, value in parts.items())


def spans_of(intervals: Sequence[WireInterval], period: IntervalPeriod | None) -> Iterator[Span]:
    """Intervals in time, those that take no time as without an end. Raises DataError where one has no start."""
    default = period or IntervalPeriod()
    start = None if default.start is None else int(default.start.timestamp())
    for interval in intervals:
        own = interval.interval_period or IntervalPeriod()
        if own.start is not None:
            start = int(own.start.timestamp())
        if start is None:
            raise DataError(f"interval {interval.id}: has no start, and nothing before it has one; give it one")
        if start not in TIMES:
            raise DataError(f"interval {interval.id}: starts {_told(start)}; give a date and time of our days")
        length = seconds_of(own.duration or default.duration or "PT0S")
        end = start + length if length and start + length in TIMES else FOREVER
        yield Span(start, end, interval.payloads)
        start = end


def _told(start: int) -> str:
    """Why a start [Unix s] is none."""
    return "after one that has no end" if start == FOREVER else "before 1970 or after 9999 (0001-01-01 means now)"
