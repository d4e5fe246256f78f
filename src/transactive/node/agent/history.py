"""What a home used, slot by slot, by the records of its box."""

from __future__ import annotations

import numpy as np

from transactive.core.proofs.meter_records import REGISTERS, SIZE, MeterRecord, SignedRecord
from transactive.core.slots import DAY
from transactive.core.units import IntArray
from transactive.forecasting.empirical import SAMPLE_DAYS
from transactive.metering.record_file import RecordFile
from transactive.metering.vee import spread

IMPORT, EXPORT, _, CHARGE, DISCHARGE, WAITED = range(len(REGISTERS))


class HomeHistory:
    """Net load without the battery, of the last four weeks. end: of the last slot that is known [Unix s]."""

    def __init__(self, outbox: RecordFile, slot_seconds: int) -> None:
        self._outbox, self._length = outbox, slot_seconds
        self._most = SAMPLE_DAYS * DAY // slot_seconds
        self._read = max(outbox.count - self._most - 1, 0)
        self._last: MeterRecord | None = None
        self._loads: list[int] = []
        self.end = 0

    def net_load(self) -> IntArray:
        """Net load of consecutive slots up to `end` [Wh], (slots,); what was read over several is spread evenly."""
        while self._read < self._outbox.count:
            data = self._outbox.some(self._read, 1_000)
            for start in range(0, len(data), SIZE):
                self._take(SignedRecord.from_bytes(data[start : start + SIZE]).record)
            self._read += len(data) // SIZE
        self._loads = self._loads[-self._most :]
        return np.array(self._loads, np.int64)

    def _take(self, record: MeterRecord) -> None:
        """Take the next record."""
        before, self._last, self.end = self._last, record, record.slot + self._length
        if before is None:
            return
        rose = [now - then for now, then in zip(record.registers, before.registers, strict=True)]
        for energy in spread(rose, (record.slot - before.slot) // self._length):
            net = energy[IMPORT] - energy[EXPORT] + energy[DISCHARGE] - energy[CHARGE] - energy[WAITED]
            self._loads.append(net)
