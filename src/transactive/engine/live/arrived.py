"""What has come in, slot by slot: the records of a journal, folded in its order and in no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from transactive.core.proofs.meter_records import REGISTERS, MeterRecord, SignedRecord
from transactive.core.tables import ReadingQuality
from transactive.core.units import IntArray
from transactive.store.live.journal import Arrival, ArrivalKind


@dataclass(slots=True, eq=False)
class SlotRecords:
    """What meters said of one slot, so far. energy_wh: what each register rose, (registers, members)."""

    energy_wh: IntArray
    there: IntArray
    quality: IntArray
    levels: dict[int, tuple[int, ...]] = field(default_factory=dict)


class ArrivedRecords:
    """Records by slot, for slots that are not settled. late: members' slots whose record came after that."""

    def __init__(self, members: Mapping[str, int], length: int, first_slot: int) -> None:
        """members: index by address of the meter. first_slot: first that is asked for [Unix s]."""
        self._members, self._length, self._settled = members, length, first_slot - length
        self._last: dict[int, MeterRecord] = {}
        self._slots: dict[int, SlotRecords] = {}
        self.late: dict[tuple[int, int], IntArray] = {}

    def of(self, slot: int) -> SlotRecords:
        """What is there of a slot."""
        if slot not in self._slots:
            members = len(self._members)
            quality = np.full(members, ReadingQuality.METERED, np.int64)
            energy = np.zeros((len(REGISTERS), members), np.int64)
            self._slots[slot] = SlotRecords(energy, np.zeros(members, np.bool_), quality)
        return self._slots[slot]

    def take(self, arrival: Arrival) -> int | None:
        """Take the next entry of the journal; returns the slot that is settled from here on, if it says so."""
        if arrival.kind is ArrivalKind.SETTLED:
            self._settled = int(arrival.body)
            self._slots = {slot: found for slot, found in self._slots.items() if slot >= self._settled}
            return self._settled
        self._take_record(SignedRecord.from_bytes(arrival.body).record)
        return None

    def _take_record(self, record: MeterRecord) -> None:
        """Give each slot since the member's last record its part of what the registers rose.

        The first record of a meter only tells where its registers stand. What rose over several slots is spread evenly,
        the remainder to the last one; nobody metered it slot by slot, so all of them count as substituted.
        """
        member = self._members[record.meter]
        before, self._last[member] = self._last.get(member), record
        if before is None:
            return
        rose = np.array(record.registers, np.int64) - np.array(before.registers, np.int64)
        slots = (record.slot - before.slot) // self._length
        quality = max(ReadingQuality.METERED if slots == 1 else ReadingQuality.SUBSTITUTED, record.quality)
        for back in range(slots):
            energy = rose // slots + (rose % slots if back == 0 else 0)
            self._enter(record.slot - back * self._length, member, energy, quality, record.levels)

    def _enter(self, slot: int, member: int, energy: IntArray, quality: int, levels: tuple[int, ...]) -> None:
        """Enter a member's energy in a slot."""
        if slot <= self._settled:
            self.late[slot, member] = energy
            return
        found = self.of(slot)
        found.energy_wh[:, member], found.there[member] = energy, True
        found.quality[member], found.levels[member] = quality, levels
