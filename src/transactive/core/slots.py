"""The market's clock: slots, gate closure, periods. Whole Unix seconds in UTC throughout."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo

from transactive.core.errors import InputError

HOUR, DAY = 3_600, 86_400
"""Lengths [s]."""
SLOT_MINUTES = (5, 15, 30, 60)


@dataclass(frozen=True, slots=True)
class MarketClock:
    """Length of a slot, distance of the gate and length of a settlement period.

    `length` and `gate_closure` in seconds; a period is `slots_per_period` slots, counted from 1970-01-01T00:00Z,
    so that a period of one day starts at midnight UTC.
    """

    length: int
    gate_closure: int
    slots_per_period: int

    @property
    def lead(self) -> int:
        """Slots between gate closure and delivery, rounded up."""
        return -(-self.gate_closure // self.length)

    def gate(self, slot: int) -> int:
        """Time [Unix s] at which the orders for `slot` are fixed: the start of the slot `lead` before it."""
        return slot - self.lead * self.length

    def end(self, slot: int) -> int:
        """Time [Unix s] at which `slot` is over."""
        return slot + self.length

    def number(self, slot: int) -> int:
        """Slots since 1970: what the contract calls the slot."""
        return slot // self.length

    def period(self, slot: int) -> int:
        """Number of the settlement period that `slot` belongs to."""
        return self.number(slot) // self.slots_per_period

    def starts_period(self, slot: int) -> bool:
        """Whether `slot` is the first of its period."""
        return self.number(slot) % self.slots_per_period == 0

    def ends_period(self, slot: int) -> bool:
        """Whether `slot` is the last of its period."""
        return (self.number(slot) + 1) % self.slots_per_period == 0


def parse_time(text: str) -> int:
    """Unix seconds of an RFC 3339 time with `Z` or an offset. Raises InputError for a naive or malformed one."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"time {text!r} is not RFC 3339; write it like 2017-06-05T00:00Z") from None
    if moment.tzinfo is None:
        raise InputError(f"time {text!r} has no zone; add Z for UTC")
    if moment.microsecond:
        raise InputError(f"time {text!r} has a part of a second; slots start at whole seconds")
    if not 1 < moment.year < 9999:  # at its ends no zone but its own can show it
        raise InputError(f"time {text!r} is at the end of the calendar; give one of the years 2 to 9998")
    return int(moment.timestamp())


def midnight(seconds: int, zone: tzinfo, days: int = 0) -> int:
    """Midnight before a time, or at it, in a zone; or that of some days later [Unix s]."""
    day = datetime.fromtimestamp(seconds, zone).date() + timedelta(days=days)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def local_text(seconds: int, zone: tzinfo) -> str:
    """RFC 3339 in a zone, with what its clocks are ahead of UTC: 2017-06-04T17:00-07:00."""
    return datetime.fromtimestamp(seconds, zone).isoformat(timespec="seconds" if seconds % 60 else "minutes")


def time_text(seconds: int) -> str:
    """RFC 3339 in UTC, to the minute where the seconds are zero: 2017-06-05T00:00Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if seconds % 60 else "%Y-%m-%dT%H:%MZ")
