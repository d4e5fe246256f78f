"""Digests of all rows as they were written: a slot's rows by slot and table, rows of no slot by table alone.

Whoever writes rows seals them in the same transaction. The digests of a slot have a digest of their own, so that one
that is damaged is told from rows that are. Tables of whole numbers are sealed column by column, all others row by row;
values that are null are left out, so that a column which comes later changes no digest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.store.databases import dialect
from transactive.store.packed import digest_of
from transactive.store.row_digests import rows_digest
from transactive.store.schema import DIGESTS, METADATA, VERSION_TABLE

NO_SLOT = -1
"""Slot under which the digests of tables without slots are kept."""
OF_DIGESTS = str(DIGESTS.name)
OF_SCHEMA = "schema"
_SEALED = sa.select(DIGESTS.c.name).where(DIGESTS.c.slot == sa.bindparam("wanted"))


def seal(connection: sa.Connection, table: sa.Table, slots: Iterable[int] = (NO_SLOT,)) -> None:
    """Write the digest of a table's rows of these slots [Unix s], or of all its rows."""
    for slot in sorted(slots):
        put_digests(connection, slot, {str(table.name): digest_in(connection, table, slot)})


def put_digests(connection: sa.Connection, slot: int, digests: dict[str, bytes]) -> None:
    """Write digests of a slot, each in place of the one before, and seal those of the slot."""
    rows = [{"slot": slot, "name": name, "digest": digest} for name, digest in digests.items()]
    dialect.upsert(connection, DIGESTS, rows)
    own = {"slot": slot, "name": OF_DIGESTS, "digest": digest_in(connection, DIGESTS, slot)}
    dialect.upsert(connection, DIGESTS, [own])


def digest_in(connection: sa.Connection, table: sa.Table, slot: int = NO_SLOT) -> bytes:
    """Digest of a table's rows, of a slot or of all, as they are now."""
    if is_columnar(table):
        return _columns_digest(connection, table, slot)
    wanted = rows_in(connection, table, slot, of_slot=slot != NO_SLOT or table is DIGESTS)
    return digest_of_rows(wanted)


def digest_of_rows(rows: Iterable[Mapping[str, Any] | sa.RowMapping]) -> bytes:
    """Digest of rows in the order of their key, as they are or are to be written."""
    return digest_of(msgspec.msgpack.encode([_filled(row) for row in rows]))


def sealed_tables(connection: sa.Connection, slot: int) -> set[str]:
    """Names of the tables that have been written for a slot [Unix s]."""
    return set(connection.scalars(_SEALED, {"wanted": slot}))


def rows_in(connection: sa.Connection, table: sa.Table, slot: int, *, of_slot: bool) -> Sequence[sa.RowMapping]:
    """Rows of a slot, or all, in the order of their key; of digests without their own."""
    return connection.execute(_query(table, of_slot), {"wanted": slot} if of_slot else {}).mappings().all()


@cache
def _query(table: sa.Table, of_slot: bool) -> sa.Select[Any]:
    """Statement for `rows_in`; made once, as that takes longer than to execute it."""
    query = sa.select(table).order_by(*table.primary_key.columns)
    if of_slot:
        query = query.where(table.c.slot == sa.bindparam("wanted"))
    return query.where(table.c.name != OF_DIGESTS) if table is DIGESTS else query


@cache
def is_columnar(table: sa.Table) -> bool:
    """Whether a table has whole numbers of slots and nothing else."""
    return "slot" in table.c and all(isinstance(column.type, sa.BigInteger) for column in table.columns)


def _columns_digest(connection: sa.Connection, table: sa.Table, slot: int) -> bytes:
    """Digest of a slot's columns, as `SlotRows` makes it of what it writes."""
    rows = rows_in(connection, table, slot, of_slot=True)
    names = [column.name for column in table.columns if not rows or rows[0][column.name] is not None]
    return rows_digest(table, {name: np.array([row[name] for row in rows], np.int64) for name in names})


def _filled(row: Mapping[str, Any] | sa.RowMapping) -> list[tuple[str, Any]]:
    """Values of a row that are not null, by name."""
    return sorted((str(name), value) for name, value in row.items() if value is not None)


def seal_schema(connection: sa.Connection) -> None:
    """Write the digest of all tables' definitions."""
    put_digests(connection, NO_SLOT, {OF_SCHEMA: schema_digest(connection)})


def schema_digest(connection: sa.Connection) -> bytes:
    """Digest of all tables' definitions as they are now."""
    return digest_of(msgspec.msgpack.encode(dialect.definitions(connection)))


def seal_all(connection: sa.Connection) -> None:
    """Seal what has no digest yet as it is now, and all digests: for a state that was moved up."""
    kept = {(row.slot, row.name) for row in connection.execute(sa.select(DIGESTS.c.slot, DIGESTS.c.name))}
    for table in METADATA.sorted_tables:
        if table not in (DIGESTS, VERSION_TABLE):
            slots = slots_in(connection, table) if "slot" in table.c else [NO_SLOT]
            seal(connection, table, [slot for slot in slots if (slot, table.name) not in kept])
    for slot in slots_in(connection, DIGESTS):
        put_digests(connection, slot, {})
    seal_schema(connection)


def slots_in(connection: sa.Connection, table: sa.Table) -> list[int]:
    """Slots that a table has rows of, in order."""
    return [int(slot) for slot in connection.scalars(sa.select(table.c.slot).distinct().order_by(table.c.slot))]
