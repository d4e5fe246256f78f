"""One way to use either database: opening, one writer, one moment, writing in place of what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as postgresql_words
from sqlalchemy.dialects import sqlite as sqlite_words

from transactive.core.units import IntArray
from transactive.store.databases import postgresql, sqlite
from transactive.store.databases.place import is_pointer

WORDS: dict[str, Any] = {"sqlite": sqlite_words, "postgresql": postgresql_words}


def engine(path: Path) -> sa.Engine:
    """Engine of a SQLite file or of what a pointer names; every commit is on disk before it returns.

    Raises StateError where the file cannot be made or read, MissingExtra without the driver.
    """
    return postgresql.engine(path) if is_pointer(path) else sqlite.engine(path)


def require_place(path: Path) -> None:
    """Require what tables are made in, where that is no file. Raises StateError."""
    if is_pointer(path):
        postgresql.require_schema(path)


def alone(engine: sa.Engine) -> AbstractContextManager[sa.Connection]:
    """One transaction in which nobody else writes, and tables too are changed wholly or not at all."""
    return postgresql.alone(engine) if engine.dialect.name == "postgresql" else sqlite.alone(engine)


def stand_still(connection: sa.Connection) -> None:
    """Read everything from now on as it is at one moment, whatever a run writes meanwhile."""
    if connection.dialect.name == "postgresql":
        postgresql.stand_still(connection)
    else:
        sqlite.stand_still(connection)


def wipe(connection: sa.Connection) -> None:
    """Leave nothing of rows that are gone; the connection commits each statement by itself."""
    words = (
        ("vacuum full",) if connection.dialect.name == "postgresql" else ("vacuum", "pragma wal_checkpoint(truncate)")
    )
    for each in words:
        connection.exec_driver_sql(each)


def definitions(connection: sa.Connection) -> list[tuple[str, str, str]]:
    """Kind, name and definition of what the database has, by name."""
    if connection.dialect.name == "postgresql":
        return postgresql.definitions(connection)
    return sqlite.definitions(connection)


def insert_columns(
    connection: sa.Connection, table: sa.Table, same: Mapping[str, int], columns: Mapping[str, IntArray]
) -> None:
    """Write columns as rows that share some values; as they come, without a mapping for each row where that may be."""
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    given = [(*same.values(), *row) for row in rows]
    if not given:
        return
    names = (*same, *columns)
    if connection.dialect.name == "sqlite":
        text, places = _in_driver_words(table, names, connection.dialect)
        connection.exec_driver_sql(text, [places(row) for row in given])
    else:
        connection.execute(sa.insert(table), [dict(zip(names, row, strict=True)) for row in given])


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
        connection.execute(_upsert_of(table, tuple(rows[0]), connection.dialect.name), list(rows))


@cache
def _upsert_of(table: sa.Table, names: tuple[str, ...], dialect: str) -> sa.Insert:
    """Statement that writes rows of these columns; made once, as that takes longer than to execute it."""
    key = [column.name for column in table.primary_key.columns]
    statement = WORDS[dialect].insert(table)
    others = {name: statement.excluded[name] for name in names if name not in key}
    made: sa.Insert = statement.on_conflict_do_update(index_elements=key, set_=others)
    return made


def total(column: sa.ColumnElement[Any]) -> sa.ColumnElement[Any]:
    """Sum of a column as a whole number; PostgreSQL sums whole numbers to decimals."""
    return sa.cast(sa.func.sum(column), sa.BigInteger)
