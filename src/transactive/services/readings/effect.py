"""What readings would change of a community: those that are new, and those that are others than before."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import numpy as np

from transactive.config.setting import Setting
from transactive.core.slots import time_text


class Effect(msgspec.Struct, frozen=True):
    """What accepting would do. added, changed: readings of a member and slot that are new, or others than before.

    first_slot, end: span of all the readings then, UTC.
    """

    added: int
    changed: int
    first_slot: str
    end: str


def compared(before: Setting, after: Setting) -> Effect:
    """Count the readings in which two settings of one community differ."""
    length, members = after.community.clock.length, len(after.community.members)
    known, now = _readings(before), _readings(after)
    there = np.zeros(len(now["consumption_wh"]), np.bool_)
    shift = (before.measured.first_slot - after.measured.first_slot) // length
    rows = np.arange(len(known["consumption_wh"])) + shift
    there[rows] = True
    changed = np.zeros((len(rows), members), np.bool_)
    for name, table in now.items():
        changed |= table[rows] != known[name]
    added = int((~there).sum()) * members
    return Effect(added, int(changed.sum()), time_text(after.measured.first_slot), time_text(after.measured_end))


def _readings(setting: Setting) -> Mapping[str, np.ndarray]:
    """Consumption, generation and both ways, each of shape (slots, members)."""
    measured = setting.measured
    names = ("consumption_wh", "generation_wh", "both_ways_wh")
    tables = {name: getattr(measured, name) for name in names}
    return {name: table if len(table) else np.zeros_like(measured.consumption_wh) for name, table in tables.items()}
