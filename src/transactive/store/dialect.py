"""What one database does otherwise than another: opening, durability, writing in place of what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from transactive.core.errors import StateError
from transactive.core.units import IntArray
from transactive.store.folder import OWNER_FILE


def engine(path: Path) -> sa.Engine:
    """Engine of a SQLite file, for its owner alone; every commit is on disk before it returns.

    Raises StateError where the file cannot be made.
    """
    _touch(path)
    made = sa.create_engine(f"sqlite:///{path}")
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
    """One transaction that holds the database from its start, in which tables too are changed wholly or not at all."""
    with engine.begin() as connection:
        connection.exec_driver_sql("begin immediate")
        yield connection


def definitions(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and definition of all tables and indexes, by name."""
    found = connection.exec_driver_sql("select type, name, coalesce(sql, '') from sqlite_master order by type, name")
    return [(str(kind), str(name), str(text)) for kind, name, text in found]


def insert_columns(
    connection: sa.Connection, table: sa.Table, same: Mapping[str, int], columns: Mapping[str, IntArray]
) -> None:
    """Write columns as rows that share some values; as they come, without a mapping for each row."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    given = [(*same.values(), *row) for row in rows]
    if not given:
        return
    text, places = _in_driver_words(table, (*same, *columns), connection.dialect)
    connection.exec_driver_sql(text, [places(row) for row in given])


@cache
def _in_driver_words(
    table: sa.Table, names: tuple[str, ...], dialect: sa.Dialect
) -> tuple[str, Callable[[tuple[Any, ...]], tuple[Any, ...]]]:
    """Text that inserts a row of these columns, and what puts its values in the order of the text."""
    statement = sa.insert(table).compile(dialect=dialect, column_keys=list(names))
    return str(statement), itemgetter(*(names.index(name) for name in statement.positiontup or names))


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, each in place of one with the same key; all rows name the same columns."""
    if rows:
        connection.execute(_upsert_of(table, tuple(rows[0])), list(rows))


@cache
def _upsert_of(table: sa.Table, names: tuple[str, ...]) -> Insert:
    """Statement that writes rows of these columns; made once, as that takes longer than to execute it."""
    key = [column.name for column in table.primary_key.columns]
    statement = insert(table)
    others = {name: statement.excluded[name] for name in names if name not in key}
    return statement.on_conflict_do_update(index_elements=key, set_=others)
