"""A box: from messages of a meter to signed records in an outbox, and from there to the collector.

A record is safe once it is in the outbox. Nothing but the collector's count of records on its own disk lets the box
go on to the next ones; what the broker says of a message means nothing here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from transactive.core.errors import StateError
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.meter_records import SIZE, MeterRecord, SignedRecord, sign_record
from transactive.metering.boundaries import SlotBoundaries
from transactive.metering.decode.registers import MeterState
from transactive.metering.record_file import RecordFile
from transactive.node.memory import KnownMeter

AT_ONCE = 32
"""Records in a message, at most."""
UNDER_WAY = 256
"""Records that are sent before the collector has answered, at most."""
PATIENCE_SECONDS = 2.0
"""How long an answer is waited for until all that is not acknowledged is said again."""


@dataclass(frozen=True, slots=True)
class BoxKey:
    """Key of a box, 32 bytes, and its address in lower case."""

    key: bytes
    address: str


class CountedDevices(Protocol):
    """What devices of a home say of themselves. counts_battery: whether its battery has counters of its own."""

    counts_battery: bool

    def levels(self) -> tuple[int, ...]:
        """What they hold, as a record tells it [Wh]."""
        ...

    def counted_wh(self) -> tuple[int, int, int]:
        """What the battery has drawn and given, and what loads have drawn, since the box began [Wh]."""
        ...


class NothingCounted:
    """`CountedDevices` of a home without any."""

    counts_battery = False

    def levels(self) -> tuple[int, ...]:
        """Nothing is held."""
        return ()

    def counted_wh(self) -> tuple[int, int, int]:
        """Nothing is counted."""
        return 0, 0, 0


NOTHING_COUNTED = NothingCounted()


class Recorder:
    """Signs where registers stood as each slot ended. standing: where they stood last [Wh], None before a message.

    at: time of the last message [Unix s].
    """

    def __init__(
        self,
        outbox: RecordFile,
        key: BoxKey,
        chain_id: int,
        boundaries: SlotBoundaries,
        meter: KnownMeter,
        devices: CountedDevices = NOTHING_COUNTED,
    ) -> None:
        """Go on after the last record of the outbox."""
        self._outbox, self._key, self._chain_id = outbox, key, chain_id
        self._boundaries, self._meter = boundaries, meter
        self._newest: MeterRecord | None = None
        self.standing: tuple[int, ...] | None = None
        self.at = 0
        self._devices, self._since = devices, (0, 0, 0)
        if outbox.count:
            self._newest = SignedRecord.from_bytes(outbox.some(outbox.count - 1, 1)).record
            *metered, charged, discharged, waited = registers = self._newest.registers
            self._since = charged, discharged, waited
            boundaries.resume(self._newest.slot, registers)
            own = (0, 0) if devices.counts_battery else (charged, discharged)
            meter.resume(self._newest.slot + boundaries.length, (*metered, *own))

    def take(self, state: MeterState, raw: bytes, heard: int) -> MeterRecord | None:
        """Take a message of the meter in; returns the record that it made, which is on disk, if it made one.

        heard: when it came, by the box's clock [Unix s]; the meter's own time decides where it has one. Raises
        DataError for a message that tells nothing, StateError where the disk takes no more.
        """
        self.at = at = self._meter.traits.time_of(state, heard)
        self.standing = self._with_devices(self._meter.take(at, state))
        found = self._boundaries.take(at, self.standing)
        if found is None:
            return None
        slot, registers = found
        newest = self._newest
        number, previous = (newest.number + 1, newest.hash) if newest else (0, ZERO)
        record = MeterRecord(
            self._key.address, number, slot, registers, self._devices.levels(), telegram=keccak(raw), previous=previous
        )
        self._outbox.append([sign_record(record, self._key.key, self._chain_id).to_bytes()])
        self._newest = record
        self._meter.keep()
        return record

    def _with_devices(self, metered: tuple[int, ...]) -> tuple[int, ...]:
        """Registers of the meter with what devices count: the battery, unless the meter does, and loads."""
        charged, discharged, waited = (sum(two) for two in zip(self._since, self._devices.counted_wh(), strict=True))
        battery = (charged, discharged) if self._devices.counts_battery else metered[3:]
        return *metered[:3], *battery, waited


class Courier:
    """Hands the records of an outbox over. send: publishes bytes. acknowledged: how many the collector has on disk."""

    def __init__(
        self,
        outbox: RecordFile,
        send: Callable[[bytes], None],
        introduce: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """introduce: says who this is, to a collector that may not know it yet."""
        self._outbox, self._send, self._introduce, self._clock = outbox, send, introduce, clock
        self.acknowledged = self._sent = 0
        self._heard = self._known = False
        self._moved = clock()
        self.wake = threading.Event()

    @property
    def waiting(self) -> int:
        """How many records the collector does not have on disk, by what is known here."""
        return self._outbox.count - self.acknowledged

    def ask(self) -> None:
        """Ask how far the collector is, as when the connection is new; until it answers it may not know this box."""
        if not self._heard:
            self._introduce()
        self._known, self._sent, self._moved = False, self.acknowledged, self._clock()
        self._send(b"")

    def heard(self, count: int) -> None:
        """Hear how many records are on the collector's disk, by a message that its market has signed.

        Raises StateError if those are more than were ever signed here: this box was put back from a copy, and whatever
        it signs next would be the second record under its number.
        """
        self._heard = True
        if count > self._outbox.count:
            raise StateError(
                f"{self._outbox.path}: the market has {count} records of this meter, and the outbox"
                f" {self._outbox.count}: it was put back from an older copy; enrol the box anew, with a new key"
            )
        if count > self.acknowledged or not self._known:
            self.acknowledged, self._known, self._moved = count, True, self._clock()
            self._sent = max(self._sent, count)
        self.wake.set()

    def step(self) -> None:
        """Send what can be sent; say again what was not answered in time."""
        if (self.waiting or not self._known) and self._clock() - self._moved > PATIENCE_SECONDS:
            self.ask()
        while self._known and self._sent < min(self._outbox.count, self.acknowledged + UNDER_WAY):
            if self._sent == self.acknowledged:
                self._moved = self._clock()
            payload = self._outbox.some(self._sent, AT_ONCE)
            self._send(payload)
            self._sent += len(payload) // SIZE
