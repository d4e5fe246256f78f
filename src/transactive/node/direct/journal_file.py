"""The journal of a slot on disk: records that are there when `append` returns, and whole when they are read again.

Each record has its length and a checksum before it. What a crash has torn at the end is cut off when the file is
opened: nothing that it tells of has left.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from transactive.core.errors import StateError

OWNER_FILE, OWNER_FOLDER = 0o600, 0o700
_HEAD = struct.Struct(">II")


class JournalFile:
    """Records in a file that only grows."""

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin one. Raises StateError if it cannot be written."""
        self.path = path
        try:
            path.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, OWNER_FILE)
            _flush_folder(path.parent)
            os.ftruncate(self._file, sum(_HEAD.size + len(record) for record in self.records()))
        except OSError as error:
            raise self._error(error) from error

    def append(self, record: bytes) -> None:
        """Add a record; it is on disk when this returns. Raises StateError where it cannot be."""
        data = _HEAD.pack(len(record), zlib.crc32(record)) + record
        try:
            while data:
                data = data[os.write(self._file, data) :]
            os.fdatasync(self._file)
        except OSError as error:
            raise self._error(error) from error

    def records(self) -> Iterator[bytes]:
        """All whole records, in order."""
        data, start = self.path.read_bytes(), 0
        while start + _HEAD.size <= len(data):
            length, checksum = _HEAD.unpack_from(data, start)
            start += _HEAD.size
            record = data[start : start + length]
            if not length or len(record) < length or zlib.crc32(record) != checksum:
                return  # torn, or zeros where a file grew and its bytes never came
            yield record
            start += length

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _error(self, error: OSError) -> StateError:
        return StateError(
            f"{self.path}: the journal of direct trading cannot be written: {error.strerror}; free the disk"
        )


def _flush_folder(folder: Path) -> None:
    """Keep the name of a new file, as `append` keeps what is in it."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
