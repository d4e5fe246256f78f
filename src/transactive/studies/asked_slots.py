"""Which slots of a community are studied."""

from __future__ import annotations

from transactive.config.setting import Setting
from transactive.core.errors import InputError
from transactive.core.slots import DAY, parse_time
from transactive.engine.replay import slots_from, slots_of

DEMO_START, DEMO_DAYS = "2017-06-05T00:00Z", 7
"""Where the demo's week begins, and its days."""


def slots_asked(setting: Setting, start: str | None, days: int | None) -> range:
    """Slots of the community's own run, or from a start and for so many days, as far as both are given."""
    if days is not None and days < 1:
        raise InputError(f"--days {days}: give at least 1")
    if start is None and days is None:
        return slots_from(setting)
    first = parse_time(start) if start else slots_from(setting)[0]
    return slots_of(setting, first, days or _days_left(setting, first))


def _days_left(setting: Setting, first: int) -> int:
    """Whole days from a slot to the end of the readings, at least one."""
    return max((setting.measured_end - first) // DAY, 1)
