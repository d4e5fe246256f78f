"""What a box has signed, slot by slot: what a member holds the leaf of its market against."""

from __future__ import annotations

from pathlib import Path

from transactive.core.proofs.meter_records import SignedRecord
from transactive.metering.record_file import read_records
from transactive.node.settings import OUTBOX_FILE


class SignedEnergy:
    """Energy between the records of a box. slot_seconds: length of a slot."""

    def __init__(self, folder: Path, slot_seconds: int) -> None:
        self._path, self._length = folder / OUTBOX_FILE, slot_seconds
        self._energy: dict[int, tuple[int, int]] = {}
        self._read = 0
        self._last: SignedRecord | None = None

    def of(self, number: int) -> tuple[int, int] | None:
        """Import and export of a slot (its number) [Wh]; None where no record tells of it alone."""
        if number not in self._energy:
            self._look()
        return self._energy.get(number)

    def _look(self) -> None:
        """Read what was signed since."""
        for data in read_records(self._path, self._read):
            signed = SignedRecord.from_bytes(data)
            before, self._last = self._last, signed
            self._read += 1
            if before and signed.record.slot - before.record.slot == self._length:
                now, then = signed.record.registers, before.record.registers
                self._energy[signed.record.slot // self._length] = now[0] - then[0], now[1] - then[1]
