"""Whether a database is as it was written: its structure by SQLite, its rows by their digests.

The quick form reads what a run goes on from: definitions, all tables without slots, such as settings and the state to
go on from, and the last delivered slot. The full one reads every row. Both name the table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.store.databases import dialect
from transactive.store.databases.place import is_pointer
from transactive.store.schema import (
    DIGESTS,
    FOOTPRINTS,
    METADATA,
    VERSION,
    VERSION_TABLE,
)
from transactive.store.sealing import (
    NO_SLOT,
    OF_DIGESTS,
    OF_SCHEMA,
    digest_in,
    schema_digest,
    slots_in,
)

WHAT_READING_DAMAGE_RAISES = (sqlite3.DatabaseError, sa.exc.DatabaseError, ValueError, OverflowError, TypeError)
REPAIR = "`transactive state restore` puts a backup in its place"
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Damage:
    """Something in a file that is not as it was written. table: or "schema"."""

    file: str
    table: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}: table {self.table}: {self.text}"


def broken_structure(path: Path) -> Iterator[Damage]:
    """Damage that SQLite finds in any of our files: in its pages, its indexes and its definitions."""
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            tables = [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
            for table in tables:
                if said := _structure_of(connection, table):
                    yield Damage(path.name, table, said)
    except WHAT_READING_DAMAGE_RAISES as error:
        yield Damage(path.name, "schema", str(error))


def _structure_of(connection: sqlite3.Connection, table: str) -> str:
    """What SQLite says of a table, empty if it is sound."""
    try:
        (said,) = connection.execute(f"pragma integrity_check('{table}')").fetchone()
    except WHAT_READING_DAMAGE_RAISES as error:
        return str(error)
    return "" if said == "ok" else " ".join(str(said).split())


def broken_rows(path: Path, tell: Tell = lambda _: None) -> Iterator[Damage]:
    """Rows of a run's database that are not as they were written. tell: hears how far it is.

    Raises StateError where they cannot be reached.
    """
    dialect.require_place(path)
    engine, name = dialect.engine(path), path.name
    with ending(engine), engine.connect() as connection:
        dialect.stand_still(connection)
        yield from _broken_whole(connection, name, [t for t in METADATA.sorted_tables if "slot" not in t.c])
        try:
            slots = _all_slots(connection)
        except WHAT_READING_DAMAGE_RAISES as error:
            yield Damage(name, OF_DIGESTS, str(error))
            return
        for count, slot in enumerate(slots, 1):
            tell(f"{name}: slot {count} of {len(slots)}")
            yield from _broken_slot(connection, name, slot)


@contextmanager
def ending(engine: sa.Engine) -> Iterator[None]:
    """Close all connections of an engine in the end."""
    try:
        yield
    finally:
        engine.dispose()


def require_sound(engine: sa.Engine, path: Path) -> None:
    """The quick form, at each opening. Raises StateError that names the table."""
    for found in (*_wrong_size(engine, path), *_broken_heads(engine, path.name)):
        raise StateError(f"{path.parent}: {found}; {REPAIR}")


def require_sealed(engine: sa.Engine, path: Path, table: sa.Table, slot: int | None = None) -> None:
    """Require that a table's rows, of a slot or of all slots, are as they were written. Raises StateError."""
    with engine.connect() as connection:
        dialect.stand_still(connection)
        for each in slots_in(connection, table) if slot is None else [slot]:
            kept, damage = _kept(connection, path.name, each)
            for found in (*damage, *_compared(connection, path.name, table, each, kept)):
                raise StateError(f"{path.parent}: {found}; {REPAIR}")


def _wrong_size(engine: sa.Engine, path: Path) -> Iterator[Damage]:
    """A file that is cut off, or longer than it says; one with a log beside it is not judged."""
    if is_pointer(path):
        return  # a server looks after its own pages
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return
    with engine.connect() as connection:
        pages, size = (
            connection.exec_driver_sql(f"pragma {name}").scalar_one() for name in ("page_count", "page_size")
        )
    if path.stat().st_size != pages * size and not (log.exists() and log.stat().st_size):
        yield Damage(path.name, "schema", f"has {path.stat().st_size} bytes in place of {pages * size}")


def _broken_heads(engine: sa.Engine, name: str) -> Iterator[Damage]:
    """Damage in what a run goes on from."""
    with engine.connect() as connection:
        dialect.stand_still(connection)
        yield from _broken_whole(connection, name, [t for t in METADATA.sorted_tables if "slot" not in t.c])
        try:
            last = connection.scalar(sa.select(sa.func.max(FOOTPRINTS.c.slot)))
        except WHAT_READING_DAMAGE_RAISES as error:
            yield Damage(name, str(FOOTPRINTS.name), str(error))
            return
        if last is not None:
            yield from _broken_slot(connection, name, int(last))


def _broken_whole(connection: sa.Connection, name: str, tables: list[sa.Table]) -> Iterator[Damage]:
    """Damage in the definitions and in tables without slots."""
    kept, damage = _kept(connection, name, NO_SLOT)
    yield from damage
    if damage:
        return
    if kept.get(OF_SCHEMA) != schema_digest(connection):
        yield Damage(name, "schema", "definitions are not as they were written")
        return
    for table in tables:
        if table is VERSION_TABLE:
            if connection.scalar(sa.select(table.c.version_num)) != VERSION:
                yield Damage(name, str(table.name), "the version is not as it was written")
        else:
            yield from _compared(connection, name, table, NO_SLOT, kept)


def _broken_slot(connection: sa.Connection, name: str, slot: int) -> Iterator[Damage]:
    """Damage in the rows of a slot."""
    kept, damage = _kept(connection, name, slot)
    yield from damage
    if not damage:
        for table in METADATA.sorted_tables:
            if "slot" in table.c and table is not DIGESTS:
                yield from _compared(connection, name, table, slot, kept)


def _kept(connection: sa.Connection, name: str, slot: int) -> tuple[dict[str, bytes], list[Damage]]:
    """Digests of a slot by name, and what is wrong with them; a slot from before there were such has none."""
    try:
        rows = connection.execute(sa.select(DIGESTS.c.name, DIGESTS.c.digest).where(DIGESTS.c.slot == slot))
        kept = {str(row.name): bytes(row.digest) for row in rows}
        sound = kept.get(OF_DIGESTS) == digest_in(connection, DIGESTS, slot) if kept else slot != NO_SLOT
    except WHAT_READING_DAMAGE_RAISES as error:
        return {}, [Damage(name, OF_DIGESTS, str(error))]
    return kept, [] if sound else [Damage(name, OF_DIGESTS, f"{_of(slot)}digests are not as they were written")]


def _compared(
    connection: sa.Connection, name: str, table: sa.Table, slot: int, kept: dict[str, bytes]
) -> Iterator[Damage]:
    """Damage in a table's rows of a slot, or in all its rows."""
    known = kept.get(str(table.name))
    try:
        now = digest_in(connection, table, slot)
        there = known is not None or _has_rows(connection, table, slot)
    except WHAT_READING_DAMAGE_RAISES as error:
        yield Damage(name, str(table.name), f"{_of(slot)}{error}")
        return
    if there and known != now:
        yield Damage(name, str(table.name), f"{_of(slot)}rows are not as they were written")


def _has_rows(connection: sa.Connection, table: sa.Table, slot: int) -> bool:
    """Whether a table has rows, of a slot if it has slots."""
    wanted = sa.select(sa.literal(1)).select_from(table).limit(1)
    return connection.scalar(wanted if slot == NO_SLOT else wanted.where(table.c.slot == slot)) is not None


def _all_slots(connection: sa.Connection) -> list[int]:
    """All slots that any table has rows of, in order."""
    slots: set[int] = set()
    for table in METADATA.sorted_tables:
        if "slot" in table.c:
            slots.update(slots_in(connection, table))
    return sorted(slots - {NO_SLOT})


def _of(slot: int) -> str:
    """Name of a slot before what is wrong in it; a damaged key may be no time at all."""
    if slot == NO_SLOT:
        return ""
    try:
        return f"{time_text(slot)}: "
    except (ValueError, OverflowError, OSError):
        return f"slot {slot}: "
