"""The files of a state folder as a whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from transactive.core.errors import StateError
from transactive.store.folder import OWNER_FILE


def bytes_at_rest(folder: Path) -> int:
    """Bytes of all files of a folder, once its databases hold what waits in their write-ahead logs."""
    for file in folder.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def copy_together(paths: Sequence[Path], folder: Path) -> None:
    """Copy databases that may be in use, as they are at one moment, to files of the same names in another folder.

    All are held for reading before the first is copied; a slot takes much longer than that. Raises StateError.
    """
    with ExitStack() as opened:
        held = []
        try:
            for path in paths:
                source = opened.enter_context(closing(sqlite3.connect(path, isolation_level=None)))
                source.execute("begin")
                source.execute("select count(*) from sqlite_master")  # from here on it is read as it is now
                held.append((source, folder / path.name))
            for source, target in held:
                target.touch(mode=OWNER_FILE)
                with closing(sqlite3.connect(target)) as written:
                    source.backup(written)
        except (sqlite3.Error, OSError) as error:
            raise StateError(
                f"{folder}: cannot be written ({error}); free space or permissions, then try again"
            ) from error


def copy(path: Path, target: Path) -> None:
    """Copy a database that may be in use, with what is in its log, to a file beside it; whole or not at all.

    Raises StateError where the copy cannot be written.
    """
    partial = target.with_name(f"{target.name}.part")
    try:
        partial.unlink(missing_ok=True)
        partial.touch(mode=OWNER_FILE)
        with closing(sqlite3.connect(path)) as whole, closing(sqlite3.connect(partial)) as written:
            whole.backup(written)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except (sqlite3.Error, OSError) as error:
        raise StateError(f"{target}: cannot be written ({error}); free space or permissions, then try again") from error
