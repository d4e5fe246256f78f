"""Local time: what clock and calendar on the wall say, and series laid out by it.

People live by the local clock. Where daylight saving time begins an hour is missing there, and where it ends one comes
twice; on the clock's own axis every day has equally many slots, so that "yesterday at the same time" is a fixed
distance.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from transactive.core.errors import InputError
from transactive.core.installed import named_extras
from transactive.core.slots import DAY
from transactive.core.units import BoolArray, IntArray

THURSDAY = 3
"""Weekday of 1970-01-01, with Monday 0."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Time zone by its IANA name, and the country whose public holidays count (ISO 3166); neither is needed."""

    zone: str = "UTC"
    country: str | None = None

    def offset(self, times: IntArray) -> IntArray:
        """Local time − UTC [s] at times [Unix s]."""
        if self.zone == "UTC":
            return np.zeros(len(times), np.int64)
        hours, place = np.unique(times // 900, return_inverse=True)  # no zone changes within a quarter of an hour
        zone = _zone(self.zone)
        offsets = [datetime.fromtimestamp(int(h) * 900, zone).utcoffset() for h in hours]
        return np.array([o.total_seconds() if o else 0 for o in offsets], np.int64)[place]

    def local(self, times: IntArray) -> IntArray:
        """Local time [s] since 1970-01-01T00:00 on the local clock."""
        return times + self.offset(times)

    def weekday(self, local: IntArray) -> IntArray:
        """Weekday of local times, Monday 0."""
        weekday: IntArray = (local // DAY + THURSDAY) % 7
        return weekday

    def is_holiday(self, local: IntArray) -> BoolArray:
        """Whether local times lie on a public holiday of the country; never without one."""
        if self.country is None or not len(local):
            return np.zeros(len(local), np.bool_)
        days, place = np.unique(local // DAY, return_inverse=True)
        known = _holidays(self.country, *(_date(d).year for d in (int(days[0]), int(days[-1]))))
        return np.array([_date(int(d)) in known for d in days], np.bool_)[place]


def _date(day: int) -> date:
    """Date of a day since 1970."""
    return datetime.fromtimestamp(day * DAY, UTC).date()


@lru_cache
def _zone(name: str) -> ZoneInfo:
    """Time zone of a name. Raises InputError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputError(f"--zone {name} is no known time zone; write one like Europe/Vienna") from None


@lru_cache
def _holidays(country: str, first: int, last: int) -> frozenset[date]:
    """Public holidays of a country in the years first … last. Raises InputError."""
    with named_extras("--holidays"):
        import holidays
    try:
        return frozenset(holidays.country_holidays(country, years=range(first, last + 1)))
    except NotImplementedError:
        raise InputError(f"--holidays {country} is no known country; write one like AT (ISO 3166)") from None
