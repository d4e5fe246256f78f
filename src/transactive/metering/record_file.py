"""The outbox of a box: signed records in one file that only grows, on disk before any is sent.

Records have one size, so a record's place is its number. What a crash has torn at the end is cut off when the file is
opened: it was never sent. Nothing is forgotten before the collector says that it is on its disk. One process has the
file; others may read it meanwhile.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from transactive.core.errors import StateError
from transactive.core.proofs.meter_records import SIZE, is_whole
from transactive.metering.one_process import alone_on

OWNER_FILE, OWNER_FOLDER = 0o600, 0o700
AT_ONCE = 1_024


class RecordFile:
    """Records in a file. count: how many are on disk."""

    def __init__(self, path: Path) -> None:
        """Open an outbox, or begin one. Raises StateError if it cannot be written, or if another process has it."""
        self.path = path
        try:
            path.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            self._lock = alone_on(path)
        except OSError as error:
            raise self._error(error) from error
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_FILE)
            self.count = os.fstat(self._file).st_size // SIZE
            while self.count and not is_whole(self.some(self.count - 1, 1)):
                self.count -= 1
            os.ftruncate(self._file, self.count * SIZE)
        except OSError as error:
            self._lock.release()
            raise self._error(error) from error

    def close(self) -> None:
        """Close the file, and let another process have it."""
        os.close(self._file)
        self._lock.release()

    def check(self) -> None:
        """Require that every record is as it was written. Raises StateError naming the first that is not."""
        for number, data in enumerate(self.all()):
            if not is_whole(data):
                raise StateError(
                    f"{self.path}: record {number}, at byte {number * SIZE}, is damaged, and others stand behind it;"
                    " look after the disk, and enrol the box anew, with a new key"
                )

    def append(self, records: Iterable[bytes]) -> None:
        """Add records at the end; they are on disk when this returns. Raises StateError where they cannot be."""
        data = b"".join(records)
        try:
            written = 0
            while written < len(data):
                written += os.pwrite(self._file, data[written:], self.count * SIZE + written)
            os.fdatasync(self._file)
        except OSError as error:
            raise self._error(error) from error
        self.count += len(data) // SIZE

    def some(self, first: int, most: int) -> bytes:
        """The bytes of at most so many records from a number on."""
        return os.pread(self._file, SIZE * min(most, self.count - first), SIZE * first)

    def all(self) -> Iterator[bytes]:
        """All records, in order."""
        for first in range(0, self.count, AT_ONCE):
            data = self.some(first, AT_ONCE)
            yield from (data[start : start + SIZE] for start in range(0, len(data), SIZE))

    def _error(self, error: OSError) -> StateError:
        """What the disk refused."""
        return StateError(f"{self.path}: {error.strerror}; free space or permissions; nothing that was sent is lost")


def read_records(path: Path, first: int = 0) -> Iterator[bytes]:
    """Whole records of an outbox from a number on, which its box may be writing meanwhile. Raises StateError."""
    try:
        with path.open("rb") as file:
            file.seek(first * SIZE)
            while is_whole(data := file.read(SIZE)):
                yield data
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}; is it the folder of a box that has run?") from error
