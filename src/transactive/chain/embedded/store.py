"""The SQLite file behind the chain: its tables, its transactions, and py-evm's key-value store in it.

Everything a block changes (state, headers, receipts, indexes, pool) is written in one SQL transaction, so that after
a crash the file is at a block boundary.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

from transactive.core.errors import StateError, UnreadableState

FORMAT = "1"
HASH_BYTES = 32
AT_HAND = 8_192
"""Entries that stay in memory: nodes of the state and code, some megabytes."""
TABLES = """
create table if not exists meta (key text primary key, value text) without rowid;
create table if not exists kv (k blob primary key, v blob) without rowid;
create table if not exists block (number integer primary key, hash blob unique, timestamp integer);
create table if not exists tx (
    hash blob primary key, block integer, position integer, raw blob, sender blob, receiver blob, contract blob,
    status integer, gas_used integer, cumulative integer, price integer, revert blob) without rowid;
create index if not exists tx_place on tx (block, position);
create table if not exists log (
    block integer, log_index integer, position integer, tx blob, address blob, topics blob, data blob,
    primary key (block, log_index)) without rowid;
create table if not exists pending (hash blob primary key, seq integer, raw blob) without rowid;
"""


ROWS = {
    "meta": "select * from meta order by key",
    "kv": "select * from kv order by k",
    "block": "select * from block order by number",
    "tx": "select * from tx order by hash",
    "log": "select * from log order by block, log_index",
    "pending": "select * from pending order by hash",
}
"""All rows of each table, in the order of its key."""


def definitions(connection: sqlite3.Connection) -> list[tuple[str, ...]]:
    """Kind, name and definition of all tables and indexes, by name."""
    return connection.execute("select type, name, sql from sqlite_master order by type, name").fetchall()


def private(path: str | Path) -> str | Path:
    """The same path, with a file that only its owner reads if there was none; `:memory:` as it is."""
    if path != ":memory:":
        Path(path).touch(mode=0o600)
    return path


def connect(path: str | Path) -> sqlite3.Connection:
    """Open or create the file; every commit is on disk before it returns.

    Raises StateError for a file that is no chain or was written in another format.
    """
    try:
        connection = sqlite3.connect(private(path), isolation_level=None, check_same_thread=False)
    except (sqlite3.OperationalError, OSError) as error:
        raise StateError(f"chain file {path}: {error}; the folder must exist and be writable") from error
    try:
        connection.execute("pragma journal_mode = wal")
        connection.execute("pragma synchronous = full")
        connection.executescript(TABLES)
        connection.execute("insert or ignore into meta values ('format', ?)", (FORMAT,))
        (found,) = connection.execute("select value from meta where key = 'format'").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        raise StateError(f"chain file {path}: {error}; free space or permissions, then run the same again") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        connection.close()
        raise UnreadableState(f"chain file {path}: {error}; put a backup in its place, or give another path") from error
    if found != FORMAT:
        connection.close()
        raise StateError(f"chain file {path} has format {found}, this program writes {FORMAT}; give another path")
    return connection


@contextmanager
def usable(path: str | Path) -> Iterator[None]:
    """Turn what the disk refuses, and a file that another program writes, into a StateError that names the file."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise StateError(f"chain file {path}: another program has written to it; let only one run at a time") from error
    except sqlite3.OperationalError as error:
        raise StateError(f"chain file {path}: {error}; free space or permissions, then run the same again") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        raise UnreadableState(f"chain file {path}: {error}; `transactive state check` says where") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """One SQL transaction, undone on an exception."""
    connection.execute("begin immediate")
    try:
        yield
    except BaseException:
        connection.execute("rollback")
        raise
    connection.execute("commit")


class ChainStore(MutableMapping[bytes, bytes]):
    """py-evm's key-value store: writes wait in memory until the SQL transaction of their block.

    What is kept under its own hash never changes, so the newest of it stays at hand.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._waiting: dict[bytes, bytes | None] = {}
        self._at_hand: dict[bytes, bytes] = {}

    def __getitem__(self, key: bytes) -> bytes:
        if key in self._waiting:
            value = self._waiting[key]
        elif key in self._at_hand:
            return self._at_hand[key]
        else:
            row = self._connection.execute("select v from kv where k = ?", (key,)).fetchone()
            value = row[0] if row else None
            if value is not None:
                self._keep([(key, value)])
        if value is None:
            raise KeyError(key)
        return value

    def _keep(self, entries: Iterable[tuple[bytes, bytes]]) -> None:
        """Keep at hand what lies under a hash; all else may be written again, also by another program."""
        if len(self._at_hand) > AT_HAND:
            self._at_hand.clear()
        self._at_hand.update((key, value) for key, value in entries if len(key) == HASH_BYTES)

    def __setitem__(self, key: bytes, value: bytes) -> None:
        self._waiting[key] = value

    def __delitem__(self, key: bytes) -> None:
        self._waiting[key] = None

    def __iter__(self) -> Iterator[bytes]:
        raise NotImplementedError("the store is not for iterating")

    def __len__(self) -> int:
        raise NotImplementedError("the store is not for counting")

    def write(self) -> None:
        """Write what waits; the caller holds the SQL transaction."""
        kept = [(key, value) for key, value in self._waiting.items() if value is not None]
        gone = [(key,) for key, value in self._waiting.items() if value is None]
        self._connection.executemany("insert or replace into kv values (?, ?)", kept)
        self._connection.executemany("delete from kv where k = ?", gone)
        self._keep(kept)
        for (key,) in gone:
            self._at_hand.pop(key, None)
        self._waiting.clear()

    def forget(self) -> None:
        """Drop what waits."""
        self._waiting.clear()
