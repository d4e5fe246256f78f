"""A state from one database into another: all rows at one moment, its definitions sealed anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from transactive.core.errors import StateError
from transactive.store.databases import dialect
from transactive.store.schema import METADATA
from transactive.store.sealing import seal_schema

AT_ONCE = 1_000
"""Rows that are in memory together."""


@contextmanager
def held_still(source: sa.Engine) -> Iterator[sa.Connection]:
    """A connection that reads all as it is now, however long that takes."""
    with source.connect() as read:
        dialect.stand_still(read)
        read.execute(sa.select(sa.func.count()).select_from(METADATA.tables["settings"]))  # now is when one first reads
        yield read


def copy_rows(read: sa.Connection, target: Path) -> None:
    """Copy all tables into a database that has none of them yet, in one transaction.

    target: SQLite file, or pointer. Raises StateError where it cannot be written, or has tables.
    """
    written = dialect.engine(target)
    try:
        with dialect.alone(written) as connection:
            if sa.inspect(connection).get_table_names():
                raise StateError(f"{target}: has a state already; choose another place")
            METADATA.create_all(connection)
            for table in METADATA.sorted_tables:
                for part in read.execute(sa.select(table)).mappings().partitions(AT_ONCE):
                    connection.execute(sa.insert(table), [dict(row) for row in part])
            seal_schema(connection)
    except (sa.exc.DatabaseError, OSError) as error:
        raise StateError(f"{target}: cannot be written ({error}); free space or permissions, then try again") from error
    finally:
        written.dispose()
