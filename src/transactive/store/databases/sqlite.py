"""SQLite: a file in the folder, which needs no service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.util import LRUCache

from transactive.core.errors import StateError
from transactive.store.folder import OWNER_FILE

COMPILED: LRUCache[Any, Any] = LRUCache(1000)
"""Statements as text, of all files: to compile those that look a file over takes longer than to execute them."""


class AnyFile(SQLiteDialect_pysqlite):
    """SQLite as SQLAlchemy speaks it, the same for every file: what one engine compiled serves all of them."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))


def engine(path: Path) -> sa.Engine:
    """Engine of a file, for its owner alone; every commit is on disk before it returns.

    Raises StateError where the file cannot be made.
    """
    _touch(path)
    sa.dialects.registry.register("sqlite.anyfile", __name__, AnyFile.__name__)
    made = sa.create_engine(f"sqlite+anyfile:///{path}", execution_options={"compiled_cache": COMPILED})
    sa.event.listen(made, "connect", _durable)
    return made


def _durable(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    """Write-ahead log with full sync: what is committed survives a crash."""
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")


def _touch(path: Path) -> None:
    """Make a file that only its owner reads, if it is missing; SQLite gives what it lays beside it the same mode."""
    try:
        path.touch(mode=OWNER_FILE)
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}; free space or permissions, then run the same again") from error


@contextmanager
def alone(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that holds the file from its start, in which tables too are changed wholly or not at all."""
    with engine.begin() as connection:
        connection.exec_driver_sql("begin immediate")
        yield connection


def stand_still(connection: sa.Connection) -> None:
    """Read everything from now on as it is at one moment, whatever a run writes meanwhile."""
    connection.exec_driver_sql("begin")


def definitions(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and definition of all tables and indexes, by name."""
    found = connection.exec_driver_sql("select type, name, coalesce(sql, '') from sqlite_master order by type, name")
    return [(str(kind), str(name), str(text)) for kind, name, text in found]
