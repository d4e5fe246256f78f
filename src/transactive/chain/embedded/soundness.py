"""Whether the file of an embedded chain is as it was written, table by table.

What is named after its hash is hashed again. If that holds, all blocks are executed anew in another file, and both
files must have the same rows. So whatever a query can return was either hashed or made again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import zip_longest
from pathlib import Path
from typing import Any

import rlp

from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.replay import replay
from transactive.chain.embedded.store import FORMAT, ROWS, TABLES, connect, definitions
from transactive.core.errors import ChainError, StateError
from transactive.core.proofs.keccak import keccak

HASH_BYTES = 32
NUMBER, TIMESTAMP = 8, 11
"""Places in a block's header. Source: the Ethereum yellow paper, 4.3."""
Found = tuple[str, str]
"""A table, and what is wrong in it."""


def broken_chain(path: Path, scratch: Path, after_block: Callable[[int], None] = lambda _: None) -> Iterator[Found]:
    """What is not as it was written in a chain's file. scratch: of a new file for the blocks that are made again."""
    try:
        connection = connect(path)
    except StateError as error:
        yield "schema", str(error)
        return
    with closing(connection):
        found = list(_broken_hashes(connection))
        yield from found
        if not found:
            yield from _unlike_replayed(path, connection, scratch, after_block)


def _broken_hashes(connection: sqlite3.Connection) -> Iterator[Found]:
    """What is not what its hash says, or cannot be read: one finding a table."""
    with closing(sqlite3.connect(":memory:")) as new:
        new.executescript(TABLES)
        if definitions(new) != definitions(connection):
            yield "schema", "definitions are not as they were written"
    checks: dict[str, Callable[[Any], str]] = {
        "meta": lambda row: "" if row[0] != "format" or row[1] == FORMAT else f"has format {row[1]}",
        "kv": lambda row: _wrong_hash(*row) if len(row[0]) == HASH_BYTES else "",
        "block": lambda row: _wrong_header(connection, *row),
        "tx": lambda row: _wrong_hash(row[0], row[3]),
        "log": lambda row: "" if len(row[3]) == HASH_BYTES else "a log names no transaction",
        "pending": lambda row: _wrong_hash(row[0], row[2]),
    }
    for table, check in checks.items():
        try:
            said = next(filter(None, map(check, connection.execute(ROWS[table]))), "")
        except (sqlite3.DatabaseError, ValueError, TypeError, rlp.exceptions.RLPException) as error:
            said = str(error)
        if said:
            yield table, said


def _wrong_hash(name: bytes, value: bytes) -> str:
    return "" if keccak(value) == name else f"entry {name.hex()} is not what its hash says"


def _wrong_header(connection: sqlite3.Connection, number: int, block_hash: bytes, timestamp: int) -> str:
    """What is wrong with a block's row, by its header."""
    row = connection.execute("select v from kv where k = ?", (block_hash,)).fetchone()
    if row is None:
        return f"block {number} has no header"
    if keccak(row[0]) != block_hash:
        return ""  # the header is what is damaged
    header = rlp.decode(row[0])
    told = tuple(int.from_bytes(header[place], "big") for place in (NUMBER, TIMESTAMP))
    return "" if told == (number, timestamp) else f"block {number} is another than its header says"


def _unlike_replayed(
    path: Path, connection: sqlite3.Connection, scratch: Path, after_block: Callable[[int], None]
) -> Iterator[Found]:
    """Rows that are others when all blocks are executed anew."""
    try:
        with closing(EmbeddedChain(path)) as source, closing(replay(source, scratch, after_block)):
            pass
    except ChainError as error:
        yield ("meta" if "block 0 " in str(error) else "block"), str(error)
        return
    except Exception as error:  # noqa: BLE001 - py-evm raises whatever a damaged byte leads to
        yield "meta", f"the blocks cannot be executed again ({type(error).__name__}: {error})"
        return
    with closing(connect(scratch)) as made:
        for table, query in ROWS.items():
            if table != "pending" and any(
                a != b for a, b in zip_longest(connection.execute(query), made.execute(query))
            ):
                yield table, "rows are others than its blocks make"
