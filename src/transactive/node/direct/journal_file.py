"""The journal of a slot on disk: records that are there when `append` returns, and whole when they are read again.

Before each record stand its length, its number, its checksum, and a checksum of these three. What a crash has torn at
the end is cut off when the file is opened: nothing that it tells of has left. Damage with something whole behind it is
no crash, and stops the node: it would contradict what it said. That the disk lost whole records at the end, which it
had said it had, no file can tell of itself; other nodes have the quotes. One process has the file.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from transactive.core.errors import StateError
from transactive.metering.one_process import alone_on

OWNER_FILE, OWNER_FOLDER = 0o600, 0o700
_NUMBERS, _CHECK = struct.Struct(">III"), struct.Struct(">I")
_HEAD = _NUMBERS.size + _CHECK.size


class JournalFile:
    """Records in a file that only grows."""

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin one.

        Raises StateError if it cannot be written, if another process has it, or for damage before its last record.
        """
        self.path = path
        try:
            path.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            self._lock = alone_on(path)
        except OSError as error:
            raise self._error(error) from error
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_FILE)
            try:
                _flush_folder(path.parent)
                self._records, end = self._whole()
                os.ftruncate(self._file, end)
            except BaseException:
                os.close(self._file)
                raise
        except OSError as error:
            self._lock.release()
            raise self._error(error) from error
        except BaseException:
            self._lock.release()
            raise

    def append(self, record: bytes) -> None:
        """Add a record of a byte or more; it is on disk when this returns. Raises StateError where it cannot be."""
        numbers = _NUMBERS.pack(len(record), len(self._records), zlib.crc32(record))
        data = numbers + _CHECK.pack(zlib.crc32(numbers)) + record
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fdatasync(self._file)
        except OSError as error:
            raise self._error(error) from error
        self._records.append(record)

    def records(self) -> Iterator[bytes]:
        """All records, in order."""
        yield from self._records

    def close(self) -> None:
        """Close the file, and let another process have it."""
        os.close(self._file)
        self._lock.release()

    def _whole(self) -> tuple[list[bytes], int]:
        """Records, and where they end. Raises StateError for damage before the last one."""
        data, start, found = self.path.read_bytes(), 0, list[bytes]()
        while start < len(data):
            length, number, checksum = _head(data, start) or (0, 0, 0)
            end = start + _HEAD + length
            record = data[start + _HEAD : end]
            if not length or number != len(found) or end > len(data) or zlib.crc32(record) != checksum:
                self._require_torn(data, start, len(found))
                break
            found.append(record)
            start = end
        return found, start

    def _require_torn(self, data: bytes, start: int, number: int) -> None:
        """Require that a record that is not whole was the last one. Raises StateError."""
        for place in range(start, len(data) - _HEAD):
            head = _head(data, place)
            if head and head[1] > number and place + _HEAD + head[0] <= len(data):
                raise StateError(
                    f"{self.path}: record {number + 1}, at byte {start}, is damaged, and others stand behind it; the"
                    " node may have said what it tells of, so let it sit out this slot, and look after the disk"
                )

    def _error(self, error: OSError) -> StateError:
        return StateError(
            f"{self.path}: the journal of direct trading cannot be written: {error.strerror}; free the disk"
        )


def _head(data: bytes, start: int) -> tuple[int, int, int] | None:
    """Length, number and checksum of the record that begins at a byte; None where none begins there."""
    numbers, check = data[start : start + _NUMBERS.size], data[start + _NUMBERS.size : start + _HEAD]
    if len(check) < _CHECK.size or _CHECK.unpack(check)[0] != zlib.crc32(numbers):
        return None
    length, number, checksum = _NUMBERS.unpack(numbers)
    return (length, number, checksum) if length else None


def _flush_folder(folder: Path) -> None:
    """Keep the name of a new file, as `append` keeps what is in it."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
