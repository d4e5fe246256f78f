"""What has come in, slot by slot: the records of a journal, folded in its order and in no other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from transactive.core.proofs.meter_records import REGISTERS, MeterRecord, SignedRecord
from transactive.core.tables import ReadingQuality
from transactive.core.units import IntArray
from transactive.metering.vee import spread
from transactive.store.live.journal import Arrival, ArrivalKind, Enrolment


@dataclass(slots=True, eq=False)
class SlotRecords:
    """What meters said of one slot, so far. energy_wh: what each register rose, (registers, members)."""

    energy_wh: IntArray
    there: IntArray
    quality: IntArray
    levels: dict[int, tuple[int, ...]] = field(default_factory=dict)


class ArrivedRecords:
    """Records by slot, for slots that are not settled. late: of members' slots whose record came after that."""

    def __init__(self, members: int, length: int, first_slot: int, unmetered: Sequence[int] = ()) -> None:
        """members: how many there are. first_slot: first that is asked for [Unix s]. unmetered: who has no meter."""
        self._unmetered = list(unmetered)
        self._count, self._length, self._settled = members, length, first_slot - length
        self._members: dict[str, int] = {}
        self._last: dict[int, MeterRecord] = {}
        self._slots: dict[int, SlotRecords] = {}
        self._late: dict[tuple[int, int], tuple[IntArray, int]] = {}

    def of(self, slot: int) -> SlotRecords:
        """What is there of a slot."""
        if slot not in self._slots:
            quality = np.full(self._count, ReadingQuality.METERED, np.int64)
            energy = np.zeros((len(REGISTERS), self._count), np.int64)
            self._slots[slot] = found = SlotRecords(energy, np.zeros(self._count, np.bool_), quality)
            found.there[self._unmetered] = True
        return self._slots[slot]

    def is_whole(self, slot: int) -> bool:
        """Whether all that have a meter have told of a slot."""
        there = self.of(slot).there
        return all(there[member] for member in self._members.values())

    def late(self) -> dict[tuple[int, int], tuple[IntArray, int]]:
        """Energy and quality by slot and member of what came late since this was last asked."""
        found, self._late = self._late, {}
        return found

    def take(self, arrival: Arrival) -> int | None:
        """Take the next entry of the journal; returns the slot that is settled from here on, if it says so."""
        match arrival.kind:
            case ArrivalKind.SETTLED:
                self._settled = int(arrival.body)
                self._slots = {slot: found for slot, found in self._slots.items() if slot >= self._settled}
                return self._settled
            case ArrivalKind.RECORD:
                self._take_record(SignedRecord.from_bytes(arrival.body).record)
            case ArrivalKind.ENROLLED:
                self._enrol(msgspec.json.decode(arrival.body, type=Enrolment))
        return None

    def _enrol(self, enrolment: Enrolment) -> None:
        """Let a meter be a member's, in place of the one that it had."""
        replaced = [address for address, member in self._members.items() if member == enrolment.member]
        for address in replaced:
            del self._members[address]
        self._members[enrolment.address] = enrolment.member
        self._last.pop(enrolment.member, None)

    def _take_record(self, record: MeterRecord) -> None:
        """Give each slot since the member's last record its part of what the registers rose.

        The first record of a meter only tells where its registers stand. What rose over several slots is spread evenly,
        the remainder to the last one; nobody metered it slot by slot, so all of them count as substituted.
        """
        member = self._members.get(record.meter)
        if member is None:
            return  # of a meter that was exchanged since
        before, self._last[member] = self._last.get(member), record
        if before is None:
            return
        rose = [now - then for now, then in zip(record.registers, before.registers, strict=True)]
        slots = (record.slot - before.slot) // self._length
        quality = max(ReadingQuality.METERED if slots == 1 else ReadingQuality.SUBSTITUTED, record.quality)
        for place, energy in enumerate(spread(rose, slots), 1):
            slot = before.slot + place * self._length
            self._enter(slot, member, np.array(energy, np.int64), quality, record.levels)

    def _enter(self, slot: int, member: int, energy: IntArray, quality: int, levels: tuple[int, ...]) -> None:
        """Enter a member's energy in a slot."""
        if slot <= self._settled:
            self._late[slot, member] = energy, quality
            return
        found = self.of(slot)
        found.energy_wh[:, member], found.there[member] = energy, True
        found.quality[member], found.levels[member] = quality, levels
