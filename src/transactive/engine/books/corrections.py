"""Readings of settled slots that a file states otherwise now."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from transactive.config.setting import Setting
from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.store import Store

REGISTERS = ("consumption_wh", "generation_wh")


class CorrectedReading(NamedTuple):
    """One register of a member in a settled slot [Unix s]: what was settled, and what the file says now [Wh]."""

    slot: int
    member: str
    register: str
    settled_wh: int
    now_wh: int


def corrections(store: Store, setting: Setting) -> Iterator[CorrectedReading]:
    """Readings of delivered slots that are others now, oldest first; of homes with loads that can wait, none.

    A slot beyond the readings of today is not compared.
    """
    measured, members = setting.measured, setting.community.members
    length = setting.community.clock.length
    for slot in store.delivered(measured.first_slot, setting.measured_end - length):
        row = (slot - measured.first_slot) // length
        settled = store.readings(slot, len(members))
        for register in REGISTERS:
            was: IntArray = getattr(settled, register)
            now: IntArray = getattr(measured, register)[row]
            for index in np.flatnonzero(was != now).tolist():
                if not members[index].devices:
                    yield CorrectedReading(slot, members[index].id, register, int(was[index]), int(now[index]))


def first_correction(store: Store, setting: Setting) -> str:
    """What of the settled readings is another now, in words that end a clause; empty if nothing is."""
    found = list(corrections(store, setting))
    if not found:
        return ""
    first = found[0]
    also = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"the {first.register} of {first.member} at {time_text(first.slot)} was settled with {first.settled_wh:,} Wh,"
        f" and the readings say {first.now_wh:,} Wh now{also}; "
    )
