"""Local calendar months: where they begin and end in UTC, and a member's days in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from transactive.core.errors import InputError


@dataclass(frozen=True, slots=True)
class Month:
    """A month, YYYY-MM, in a zone: its first day, the day after its last, and their midnights [Unix s]."""

    name: str
    zone: ZoneInfo
    first: date
    after: date

    @classmethod
    def of(cls, text: str, zone: str) -> Month:
        """The month that a text names. Raises InputError."""
        if not re.fullmatch(r"(19|2[0-9])[0-9]{2}-(0[1-9]|1[0-2])", text):  # no other digits: files are named so
            raise InputError(f"--month {text}: is no month; write it like 2026-05")
        first = date(int(text[:4]), int(text[5:]), 1)
        return cls(text, ZoneInfo(zone), first, (first + timedelta(days=32)).replace(day=1))

    @property
    def start(self) -> int:
        """Midnight at its first day [Unix s]."""
        return _midnight(self.first, self.zone)

    @property
    def end(self) -> int:
        """Midnight after its last day [Unix s]."""
        return _midnight(self.after, self.zone)

    def day(self, moment: int) -> date:
        """Local day of a time [Unix s]."""
        return datetime.fromtimestamp(moment, UTC).astimezone(self.zone).date()


def _midnight(day: date, zone: ZoneInfo) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
