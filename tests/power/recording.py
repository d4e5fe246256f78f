"""A VFS beneath SQLite that writes down every write, truncation, sync and deletion, in the order in which they happen.

It stands on the VFS that is there and changes nothing else. It is registered as the default one in the SQLite that this
process uses, so the program under test is as it is. Source: https://www.sqlite.org/vfs.html
"""

from __future__ import annotations

import _sqlite3
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

POINTER, INT, LONG, TEXT = ctypes.c_void_p, ctypes.c_int, ctypes.c_longlong, ctypes.c_char_p
OPEN = ctypes.CFUNCTYPE(INT, POINTER, POINTER, POINTER, INT, POINTER)
DELETE = ctypes.CFUNCTYPE(INT, POINTER, TEXT, INT)
CLOSE = ctypes.CFUNCTYPE(INT, POINTER)
WRITE = ctypes.CFUNCTYPE(INT, POINTER, POINTER, INT, LONG)
TRUNCATE = ctypes.CFUNCTYPE(INT, POINTER, LONG)
SYNC = ctypes.CFUNCTYPE(INT, POINTER, INT)
OK, NAME = 0, b"recording"


class Vfs(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = [
        ("version", INT),
        ("file_size", INT),
        ("longest_path", INT),
        ("next", POINTER),
        ("name", TEXT),
        ("data", POINTER),
        ("open", POINTER),
        ("delete", POINTER),
        *((f"other{number}", POINTER) for number in range(14)),
    ]


class Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = [
        ("version", INT),
        *((name, POINTER) for name in ("close", "read", "write", "truncate", "sync")),
        *((f"other{number}", POINTER) for number in range(13)),
    ]


class File(ctypes.Structure):
    """`sqlite3_file`."""

    _fields_ = [("methods", POINTER)]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done to a file. kind: open, write, truncate, sync, delete, or said, which is no file's."""

    kind: str
    path: str
    at: int = 0
    data: bytes = b""


@dataclass
class Recorder:
    """What was done so far, and the pieces of memory that SQLite holds on to."""

    steps: list[Step] = field(default_factory=list)
    paths: dict[int, str] = field(default_factory=dict)
    tables: dict[int, tuple[Methods, Methods, list[Any]]] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """Write down that somebody was told something from here on."""
        self.steps.append(Step("said", "", data=text.encode()))

    def methods_on(self, address: int) -> Methods:
        """Methods that write down what they do and then do it with those at an address."""
        if address not in self.tables:
            below = Methods.from_address(address)
            above = Methods.from_buffer_copy(below)
            close, write = CLOSE(below.close), WRITE(below.write)
            truncate, sync = TRUNCATE(below.truncate), SYNC(below.sync)

            def on_close(file: int) -> int:
                self.paths.pop(file, None)
                return int(close(file))

            def on_write(file: int, data: int, size: int, at: int) -> int:
                done = int(write(file, data, size, at))
                if done == OK:
                    self._note("write", file, at, ctypes.string_at(data, size))
                return done

            def on_truncate(file: int, size: int) -> int:
                done = int(truncate(file, size))
                if done == OK:
                    self._note("truncate", file, size)
                return done

            def on_sync(file: int, flags: int) -> int:
                done = int(sync(file, flags))
                if done == OK:
                    self._note("sync", file)
                return done

            kept = [CLOSE(on_close), WRITE(on_write), TRUNCATE(on_truncate), SYNC(on_sync)]
            for name, function in zip(("close", "write", "truncate", "sync"), kept, strict=True):
                setattr(above, name, ctypes.cast(function, POINTER))
            self.tables[address] = below, above, [*kept, close, write, truncate, sync]
        return self.tables[address][1]

    def _note(self, kind: str, file: int, at: int = 0, data: bytes = b"") -> None:
        if path := self.paths.get(file):
            self.steps.append(Step(kind, path, at, data))


def sqlite() -> ctypes.CDLL | None:
    """The SQLite that this Python uses, None where its functions cannot be reached."""
    library = ctypes.CDLL(_sqlite3.__file__)
    if not hasattr(library, "sqlite3_vfs_find"):
        return None
    library.sqlite3_vfs_find.restype = POINTER
    library.sqlite3_vfs_find.argtypes = [TEXT]
    library.sqlite3_vfs_register.argtypes = [POINTER, INT]
    library.sqlite3_vfs_unregister.argtypes = [POINTER]
    return library


@contextmanager
def recorded() -> Iterator[Recorder]:
    """Write down what SQLite does to files of the block. All must be closed when it ends."""
    library = sqlite()
    assert library is not None
    recorder, address = Recorder(), library.sqlite3_vfs_find(None)
    below = Vfs.from_address(address)
    above = Vfs.from_buffer_copy(below)
    open_below, delete_below = OPEN(below.open), DELETE(below.delete)

    def on_open(_: int, name: int | None, file: int, flags: int, out: int) -> int:
        done = int(open_below(address, name, file, flags, out))
        opened = File.from_address(file)
        if done == OK and opened.methods and name:
            recorder.paths[file] = path = ctypes.string_at(name).decode()
            recorder.steps.append(Step("open", path))
            opened.methods = ctypes.addressof(recorder.methods_on(opened.methods))
        return done

    def on_delete(_: int, name: bytes, sync: int) -> int:
        done = int(delete_below(address, name, sync))
        if done == OK:
            recorder.steps.append(Step("delete", name.decode()))
        return done

    kept = OPEN(on_open), DELETE(on_delete)
    above.name = NAME
    above.open, above.delete = (ctypes.cast(function, POINTER) for function in kept)
    library.sqlite3_vfs_register(ctypes.byref(above), 1)
    try:
        yield recorder
    finally:
        library.sqlite3_vfs_unregister(ctypes.byref(above))
        library.sqlite3_vfs_register(address, 1)


def files(folder: Path) -> dict[str, bytes]:
    """What a folder's databases hold, with their logs, by path."""
    found = (path for path in folder.glob("*.sqlite*") if not path.name.endswith("-shm"))
    return {str(path): path.read_bytes() for path in found}
