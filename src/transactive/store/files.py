"""The files of a state folder as a whole."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def bytes_at_rest(folder: Path) -> int:
    """Bytes of all files of a folder, once its databases hold what waits in their write-ahead logs."""
    for file in folder.glob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("pragma wal_checkpoint(truncate)")
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
