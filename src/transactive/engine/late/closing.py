"""Slots that have waited too long for a silent meter: they close by themselves, against who was silent."""

from __future__ import annotations

import numpy as np

from transactive.core.community.community import Community
from transactive.core.ports import LateReading, MeterHistory, PastReadings
from transactive.core.slots import DAY
from transactive.core.tables import ReadingQuality
from transactive.core.units import IntArray
from transactive.settlement.ledger import Ledger
from transactive.settlement.unmetered import closing_use_wh

PAST_DAYS = 28
"""Days before a slot whose metered use at the same hour says what it takes at least."""


class Closing:
    """Closes slots of a run after the community's `close_days`: what was sold counts as not delivered."""

    def __init__(self, ledger: Ledger, past: PastReadings, community: Community) -> None:
        self._ledger, self._past, self._community = ledger, past, community

    def overdue(self, slot: int) -> list[LateReading]:
        """What slots that are overdue at the delivery of `slot` [Unix s] count as having read; nobody metered it."""
        days = self._community.data.close_days
        places = self._ledger.unmetered.before(slot - days * DAY)
        if not places:
            return []
        past = self._past.history(slot)
        return [LateReading(at, who, closing_use_wh(self._uses(past, at, who)), 0, 0, 0) for at, who in places]

    def _uses(self, past: MeterHistory, slot: int, member: int) -> IntArray:
        """A member's metered use at the time of a slot, on days before it [Wh]."""
        length = self._community.clock.length
        per_day, row = DAY // length, (slot - past.first_slot) // length
        rows = np.arange(row - per_day, max(row - PAST_DAYS * per_day, 0) - 1, -per_day)
        rows = rows[rows >= 0]
        if past.quality is not None:
            rows = rows[past.quality[rows, member] == ReadingQuality.METERED]
        used: IntArray = past.consumption_wh[rows, member]
        return used
