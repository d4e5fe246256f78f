"""Digests of all rows as they were written: a slot's rows by slot and table, rows of no slot by table alone.

Whoever writes rows seals them in the same transaction. The digests of a slot have a digest of their own, so that one
that is damaged is told from rows that are. Tables of a slot's columns are sealed by `slot_rows` with `rows_digest`; all
others here, by the values that are not null, so that a column which comes later changes no digest.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa

from transactive.store import dialect
from transactive.store.packed import digest_of
from transactive.store.schema import DIGESTS, METADATA, VERSION_TABLE

NO_SLOT = -1
"""Slot under which the digests of tables without slots are kept."""
OF_DIGESTS = str(DIGESTS.name)
OF_SCHEMA = "schema"


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
    wanted = sa.select(table).order_by(*table.primary_key.columns)
    if slot != NO_SLOT or table is DIGESTS:
        wanted = wanted.where(table.c.slot == slot)
    if table is DIGESTS:
        wanted = wanted.where(table.c.name != OF_DIGESTS)
    return digest_of(msgspec.msgpack.encode([_filled(row) for row in connection.execute(wanted).mappings()]))


def _filled(row: sa.RowMapping) -> list[tuple[str, Any]]:
    """Values of a row that are not null, by name."""
    return sorted((str(name), value) for name, value in row.items() if value is not None)


def seal_schema(connection: sa.Connection) -> None:
    """Write the digest of all tables' definitions."""
    put_digests(connection, NO_SLOT, {OF_SCHEMA: schema_digest(connection)})


def schema_digest(connection: sa.Connection) -> bytes:
    """Digest of all tables' definitions as they are now."""
    return digest_of(msgspec.msgpack.encode(dialect.definitions(connection)))


def seal_all(connection: sa.Connection) -> None:
    """Seal every table but those of a slot's columns, whose writer seals them: for a state that had no such digests."""
    for table in METADATA.sorted_tables:
        if table not in (DIGESTS, VERSION_TABLE) and table.name not in COLUMNS_OF_A_SLOT:
            seal(connection, table, slots_in(connection, table) if "slot" in table.c else (NO_SLOT,))
    seal_schema(connection)


def slots_in(connection: sa.Connection, table: sa.Table) -> list[int]:
    """Slots that a table has rows of, in order."""
    return [int(slot) for slot in connection.scalars(sa.select(table.c.slot).distinct().order_by(table.c.slot))]


COLUMNS_OF_A_SLOT = frozenset(
    {
        *("clearings", "nodes", "lines", "positions", "refusals", "positions_ahead", "refusals_ahead"),
        *("readings", "qualities", "postings", "certificates", "certificate_orders", "footprints"),
    }
)
"""Tables that are written as columns of a slot, with a digest of those."""
