"""How the homes of a rehearsal report: each meter a moment after the slot, so not all at once, and some late."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence

import numpy as np

from transactive.core.proofs.meter_records import MeterRecord, SignedRecord
from transactive.core.units import PPM
from transactive.engine.live.homes import RecordedHomes
from transactive.engine.live.waiting import LOOK_SECONDS, Time
from transactive.metering.record_file import RecordFile

Outlet = Callable[[Sequence[bytes]], object]
"""Where records go: to a collector, by whatever way."""


class Reporting:
    """Sends what homes sign when it is due, by the clock's events or by a thread of its own.

    What is signed is on disk in an outbox first, so that a rehearsal which is interrupted says the same again.
    """

    def __init__(
        self, homes: RecordedHomes, outbox: RecordFile, outlet: Outlet, spread: int, late_ppm: int = 0, late: int = 0
    ) -> None:
        """spread: time after a slot's end within which meters report [s]. late_ppm: how many come `late` [s] later."""
        self._homes, self._outbox, self._outlet = homes, outbox, outlet
        self._spread, self._late_ppm, self._late = spread, late_ppm, late
        self._waiting: list[tuple[int, int, bytes]] = []
        self._latest = dict[str, int]()
        self._ended = threading.Event()
        signed = [SignedRecord.from_bytes(data) for data in outbox.all()]
        homes.take_up(each.record for each in signed)
        for number, each in enumerate(signed):
            self._wait_with(number, each)

    def until(self, now: int) -> None:
        """Send all that is due by a time [Unix s]; what is on the collector's disk already does no harm."""
        signed, first = list(self._homes.until(now)), self._outbox.count
        self._outbox.append(each.to_bytes() for each in signed)
        for number, each in enumerate(signed, first):
            self._wait_with(number, each)
        due = []
        while self._waiting and self._waiting[0][0] <= now:
            due.append(heapq.heappop(self._waiting)[2])
        if due:
            self._outlet(due)

    def _wait_with(self, number: int, signed: SignedRecord) -> None:
        """Keep a record, the outbox's `number`, until it is due."""
        heapq.heappush(self._waiting, (self._due(signed.record), number, signed.to_bytes()))

    def by(self, clock: Time) -> Callable[[], None]:
        """Begin to report by a clock, in a thread; returns what ends it."""
        thread = threading.Thread(target=self._go_on, args=(clock,), daemon=True)
        thread.start()

        def end() -> None:
            self._ended.set()
            thread.join()

        return end

    def _go_on(self, clock: Time) -> None:
        """Report until the end."""
        while not self._ended.wait(LOOK_SECONDS / 4):
            self.until(clock.now)

    def _due(self, record: MeterRecord) -> int:
        """When a record is sent [Unix s]; those of a meter stay in their order."""
        end, meter = record.slot + self._homes.length, record.meter
        draw = np.random.default_rng((end, int(meter, 16)))
        due = end + int(draw.integers(self._spread + 1))
        if record.number and draw.integers(PPM) < self._late_ppm:
            due += self._late
        self._latest[meter] = due = max(due, self._latest.get(meter, 0))
        return due
