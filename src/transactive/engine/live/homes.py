"""Homes of a rehearsal: they use what a recording says, follow the rules that they are sent, and sign their meters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from transactive.core.ports import Command
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.meter_records import REGISTERS, MeterRecord, SignedRecord, sign_record
from transactive.core.tables import Readings
from transactive.core.units import IntArray
from transactive.engine.devices.fleet import Fleet
from transactive.engine.devices.recorded_history import RecordedHistory
from transactive.metering.registers import measure


@dataclass(frozen=True, slots=True)
class MeterKey:
    """The key of the box at a meter, 32 bytes, and its address in lower case."""

    key: bytes
    address: str


class RecordedHomes:
    """`Commands` of a rehearsal, and a box at each meter. last: the last slot that all meters have recorded."""

    def __init__(
        self, past: RecordedHistory, fleet: Fleet, meters: Sequence[MeterKey], chain_id: int, first_slot: int
    ) -> None:
        """fleet: the homes' own devices, which only rules move. meters: (members,). first_slot: of the rehearsal."""
        self._past, self._fleet, self._meters, self._chain_id = past, fleet, meters, chain_id
        self._first_slot, self.last = first_slot, 0
        self._sent: dict[int, Command] = {}
        self._registers = np.zeros((len(REGISTERS), len(meters)), np.int64)
        self._newest: list[MeterRecord | None] = [None] * len(meters)

    @property
    def length(self) -> int:
        """Length of a slot [s]."""
        return self._fleet.clock.length

    def send(self, command: Command) -> None:
        """Keep the rules of a slot until it is over."""
        self._sent[command.slot] = command

    def take_up(self, records: Iterable[MeterRecord]) -> None:
        """Go on from what the meters had recorded, in its order, when a rehearsal was interrupted."""
        told: dict[str, list[MeterRecord]] = {meter.address: [] for meter in self._meters}
        for record in records:
            told[record.meter] = [*told[record.meter][-1:], record]
        self._newest = [own[-1] if own else None for own in told.values()]
        if all(told.values()):
            self.last = min(own[-1].slot for own in told.values())
            for member, own in enumerate(told.values()):
                self._set(member, own[0] if own[-1].slot > self.last else own[-1])

    def until(self, now: int) -> Iterator[SignedRecord]:
        """What meters sign of each slot that is over `now` [Unix s], once they have rules for it."""
        length = self._fleet.clock.length
        if not self.last and now >= self._first_slot:
            self.last = self._first_slot - length
            yield from self._signed()
        while self.last and self.last + 2 * length <= now and self.last + length in self._sent:
            self.last += length
            self._act(self.last)
            yield from self._signed()

    def _act(self, slot: int) -> None:
        """Let devices act on what happened in a slot, by their rules, and the registers rise."""
        command = self._sent.pop(slot)
        consumption, generation = self._past.happened(slot)
        waited = self._fleet.shift(command, consumption - generation)
        load = consumption + waited
        moved = self._fleet.deliver(command, load - generation)
        self._count(measure(slot, load, generation, *moved, *self._past.as_counted(slot)), waited)

    def _count(self, readings: Readings, waited: IntArray) -> None:
        """Let the registers rise."""
        meter = readings.import_wh, readings.export_wh
        behind = readings.generation_wh, readings.charge_wh, readings.discharge_wh
        self._registers += np.stack((*meter, *behind, waited))

    def _signed(self) -> Iterator[SignedRecord]:
        """The next record of each meter; none of those that had it before an interruption."""
        for member, newest in enumerate(self._newest):
            if newest is not None and newest.slot >= self.last:
                continue
            number, previous = (newest.number + 1, newest.hash) if newest else (0, ZERO)
            registers, meter = tuple(self._registers[:, member].tolist()), self._meters[member]
            levels = self._levels(member)
            record = MeterRecord(meter.address, number, self.last, registers, levels, previous=previous)
            self._newest[member] = record
            yield sign_record(record, meter.key, self._chain_id)

    def _levels(self, member: int) -> tuple[int, ...]:
        """What a member's devices hold, as a record tells it: its battery, then its loads that can wait [Wh]."""
        shifting = self._fleet.shifting
        waiting = shifting.held_wh[shifting.member == member].tolist() if shifting else []
        return int(self._fleet.charged_wh[member]), *waiting

    def _set(self, member: int, record: MeterRecord) -> None:
        """Let a member's meter and devices stand as a record says."""
        self._registers[:, member] = record.registers
        self._fleet.charged_wh = np.where(
            np.arange(len(self._meters)) == member, record.levels[0], self._fleet.charged_wh
        )
        if self._fleet.shifting:
            self._fleet.shifting.held_wh[self._fleet.shifting.member == member] = record.levels[1:]
