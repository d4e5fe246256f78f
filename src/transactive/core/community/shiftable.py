"""Devices of a home whose load can wait: what a community file says of them.

Times of day are of the device's zone; without one they are UTC.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from msgspec import Meta

from transactive.core.units import PPM, BoolArray, IntArray

TimeOfDay = Annotated[
    str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time of day in quotes, such as '18:30'")
]
WEEKDAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
Weekdays = Annotated[
    str,
    Meta(
        pattern=r"^(Mo|Tu|We|Th|Fr|Sa|Su)([-,](Mo|Tu|We|Th|Fr|Sa|Su))*$",
        description="days of the week in quotes, such as 'Mo-Fr' or 'Mo,We,Sa-Su'",
    ),
]
DAY_MINUTES = 1440
OFFSET_SLOTS = 900
"""No zone changes its clock but at a multiple of these seconds."""
Power = Annotated[int, Meta(gt=0, le=10**6)]
Energy = Annotated[int, Meta(gt=0, le=10**6)]
Hourly = Annotated[tuple[Annotated[int, Meta(ge=0, le=10**6)], ...], Meta(min_length=24, max_length=24)]


class Device(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="kind"):
    """Base of all kinds. power_w: most that it draws at the meter. zone: IANA name, of its times of day."""

    power_w: Power
    zone: str | None = None


class Vehicle(Device, frozen=True, kw_only=True, tag="vehicle"):
    """An electric vehicle that is at home from `arrives` to `leaves` and then drives, on each day or on some.

    needed_wh: what a day's drive takes out of its battery, and what it has to hold when it leaves. efficiency_ppm: Wh
    held for a million drawn. days: of the week on which it leaves. best_effort: it takes what it can get while it is at
    home, and the rest elsewhere; otherwise a need that cannot be met is an error, and one that was not met is owed.
    starts_wh: what it holds before a run; left out, what it needs.
    """

    arrives: TimeOfDay
    leaves: TimeOfDay
    needed_wh: Energy
    efficiency_ppm: Annotated[int, Meta(gt=0, le=PPM)] = 900_000
    days: Weekdays | None = None
    best_effort: bool = False
    starts_wh: Annotated[int, Meta(ge=0, le=10**6)] | None = None


class Heater(Device, frozen=True, kw_only=True, tag="heater"):
    """A heat pump or a boiler, with the heat that it may hold between the two comfortable temperatures.

    performance_ppm: heat for a million Wh drawn, three million for a heat pump of COP 3. band_wh: heat between the
    lowest and the highest of them. drain_wh: heat that use and weather take, hour by hour of the day, from midnight on.
    loses_ppm: part of the held heat that is lost in an hour.
    """

    performance_ppm: Annotated[int, Meta(gt=0, le=8 * PPM)] = PPM
    band_wh: Energy
    drain_wh: Hourly
    loses_ppm: Annotated[int, Meta(ge=0, lt=PPM)] = 0


class Appliance(Device, frozen=True, kw_only=True, tag="appliance"):
    """An appliance that runs once a day, between `earliest` and `latest`, for `runs_minutes` at its power."""

    earliest: TimeOfDay
    latest: TimeOfDay
    runs_minutes: Annotated[int, Meta(gt=0, le=1440)]


Shiftable: TypeAlias = Vehicle | Heater | Appliance


def minutes(time: str) -> int:
    """Minutes since midnight of a time of day."""
    hours, past = time.split(":")
    return int(hours) * 60 + int(past)


def weekdays(text: str | None) -> tuple[bool, ...]:
    """Whether each day of the week is meant, from Monday on; all without a text."""
    if text is None:
        return (True,) * 7
    meant = [False] * 7
    for part in text.split(","):
        first, _, last = part.partition("-")
        start, length = WEEKDAYS.index(first), (WEEKDAYS.index(last or first) - WEEKDAYS.index(first)) % 7
        for day in range(start, start + length + 1):
            meant[day % 7] = True
    return tuple(meant)


def local_minutes(times: IntArray, zone: str | None) -> IntArray:
    """Minutes since 1970 on the clocks of a zone at times [Unix s]; in UTC without one."""
    minutes_utc: IntArray = times // 60
    if zone is None:
        return minutes_utc
    return minutes_utc + np.array([_offset_minutes(time // OFFSET_SLOTS, zone) for time in times.tolist()], np.int64)


def local_minute_of_day(times: IntArray, zone: str | None) -> IntArray:
    """Minutes since midnight on the clocks of a zone at times [Unix s]."""
    since: IntArray = local_minutes(times, zone) % DAY_MINUTES
    return since


def on_days(local: IntArray, days: tuple[bool, ...]) -> BoolArray:
    """Whether local times, in minutes since 1970, are on such days of the week."""
    meant: BoolArray = np.array(days)[(local // DAY_MINUTES + 3) % 7]  # 1970 began on a Thursday
    return meant


@lru_cache(maxsize=100_000)
def _offset_minutes(quarter: int, zone: str) -> int:
    """What a zone's clocks are ahead of UTC in a quarter of an hour [min]."""
    ahead = datetime.fromtimestamp(quarter * OFFSET_SLOTS, UTC).astimezone(ZoneInfo(zone)).utcoffset()
    return int(ahead.total_seconds()) // 60 if ahead else 0
