"""A run's database with rows where it keeps packed blocks, so that tests can ask it in SQL of their own."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from transactive.store import FILE, Store
from transactive.store.read.slot_columns import NUMBERED, columns_of
from transactive.store.schema import CERTIFICATES, POSTINGS, READINGS

TABLES = (READINGS, POSTINGS, CERTIFICATES)


@contextmanager
def unpacked(folder: Path) -> Iterator[sqlite3.Connection]:
    """A copy in memory of a state's database, whose readings, postings and certificates are rows."""
    with closing(sqlite3.connect(":memory:")) as copy, closing(Store(folder)) as store:
        with closing(sqlite3.connect(folder / FILE)) as kept:
            kept.backup(copy)
        for table in TABLES:
            slots = [slot for (slot,) in copy.execute(f"select slot from {table.name} order by slot")]
            copy.execute(f"drop table {table.name}")
            for slot in slots:
                columns = columns_of(store, table, slot)
                names = ["slot", *(["row"] if table in NUMBERED else []), *columns]
                copy.execute(f"create table if not exists {table.name} ({', '.join(names)})")
                for row, values in enumerate(zip(*(column.tolist() for column in columns.values()), strict=True)):
                    given = (slot, *((row,) if table in NUMBERED else ()), *values)
                    copy.execute(f"insert into {table.name} values ({', '.join('?' * len(given))})", given)
        yield copy
