"""A state folder as files: who may read them, and which process is on it."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from transactive.core.errors import StateError

LOCK_FILE = "in-use.lock"
OWNER_FILE, OWNER_FOLDER = 0o600, 0o700
OURS = (
    "*.sqlite",
    "*.sqlite-wal",
    "*.sqlite-shm",
    "*.database",
    "*.lock",
    "*.json",
    "*.jsonl",
    "open-here",
    "models",
    "models/*",
)
"""What a run writes into its folder; anything else there is not ours to close."""
LONGEST_LINE = 1 << 20
"""Bytes that no line of ours is longer than."""
_held: set[Path] = set()
_used: dict[Path, None] = {}


def make_private(folder: Path) -> None:
    """Make a state folder if it is missing, and close it and what a run writes to everybody but its owner.

    What `cp` or another umask has opened is closed again. Raises StateError if the folder cannot be made.
    """
    try:
        folder.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
    except OSError as error:
        raise StateError(f"{folder}: cannot be made ({error.strerror}); choose another --state folder") from error
    _used[folder.resolve()] = None
    if folder.stat().st_mode & stat.S_ISVTX:
        return  # a folder that many share, like /tmp: not ours to close
    for path in (folder, *(found for pattern in OURS for found in folder.glob(pattern))):
        _close(path)


def _close(path: Path) -> None:
    """Let only the owner read or write a file or folder, where this process may say so."""
    with suppress(PermissionError, FileNotFoundError):
        mode = path.stat().st_mode
        wanted = OWNER_FOLDER if stat.S_ISDIR(mode) else OWNER_FILE
        if stat.S_IMODE(mode) != wanted:
            path.chmod(wanted)


def write_private(path: Path, content: bytes) -> None:
    """Replace a file that only its owner may read, whole or not at all. Raises StateError if it cannot be written."""
    temporary = path.with_name(f"{path.name}.new")
    try:
        temporary.touch(mode=OWNER_FILE)
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); free space or permissions") from None


def write_new(path: Path, content: bytes) -> bool:
    """Write a file that only its owner may read, whole or not at all, and never in the place of another.

    Returns whether it was written; False where one is there, also since a moment ago. Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(temporary, path)  # unlike a rename, it replaces nothing
    except FileExistsError:
        return False
    except OSError:  # a file system without links, as of a memory stick
        with suppress(FileExistsError), path.open("xb") as file:
            file.write(content)
            return True
        return False
    finally:
        Path(temporary).unlink(missing_ok=True)
    return True


def add_line(path: Path, line: bytes) -> None:
    """Add a line to a file that only its owner may read, on the disk before this returns.

    What a kill left of an unfinished line is cut off first, so that it takes no later one with it. Whoever else may add
    one is kept out by the caller. Raises StateError if it cannot be written.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, OWNER_FILE)
        try:
            size = os.fstat(file).st_size
            start = max(0, size - LONGEST_LINE)
            end = start + os.pread(file, size - start, start).rfind(b"\n") + 1
            os.ftruncate(file, end)
            os.pwrite(file, line + b"\n", end)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise StateError(f"{path}: cannot be written ({error.strerror}); free space or permissions") from error


def whole_lines(path: Path) -> list[bytes]:
    """Lines of a file that were written to their end; none without a file. Raises OSError."""
    data = path.read_bytes() if path.exists() else b""
    return data[: data.rfind(b"\n") + 1].splitlines()


@contextmanager
def hold(folder: Path, patience: int = 0) -> Iterator[None]:
    """Keep other processes out of a folder. Raises StateError if one is in it; a killed one is out.

    patience: how long to wait for another process [s].
    """
    make_private(folder)
    lock = filelock.FileLock(folder / LOCK_FILE, mode=OWNER_FILE)
    try:
        lock.acquire(timeout=patience)
    except filelock.Timeout as error:
        raise StateError(f"{folder}: another process is running on it; wait for it or use another --state") from error
    place = folder.resolve()
    _held.add(place)
    try:
        yield
    finally:
        _held.discard(place)
        lock.release()


def is_held(folder: Path) -> bool:
    """Whether this process is the one that keeps others out."""
    return folder.resolve() in _held


def used() -> tuple[Path, ...]:
    """State folders that this command has opened, in order: where to look when something in one cannot be read."""
    return tuple(_used)


def forget_used() -> None:
    """Begin anew: the next command of this process has opened none yet."""
    _used.clear()
