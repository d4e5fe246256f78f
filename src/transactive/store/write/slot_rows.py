"""The rows of one slot, written in place of what an interrupted run left, with their digests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.store.databases import dialect
from transactive.store.row_digests import rows_digest
from transactive.store.sealing import digest_of_rows, put_digests, sealed_tables


class SlotRows:
    """Rows of a slot [Unix s] within one transaction; `seal` writes their digests."""

    def __init__(self, connection: sa.Connection, slot: int) -> None:
        self._connection, self._slot = connection, slot
        self._digests: dict[str, bytes] = {}
        self._there = sealed_tables(connection, slot)  # few slots are written twice

    def put(self, table: sa.Table, columns: Mapping[str, Any]) -> None:
        """Write columns as the rows of the slot."""
        self._clear(table)
        names = [column.name for column in table.columns if column.name != "slot"]
        given = {name: np.asarray(columns[name], np.int64) for name in names}
        dialect.insert_columns(self._connection, table, {"slot": self._slot}, given)
        self._keep_digest(table, rows_digest(table, given))

    def put_one(self, table: sa.Table, row: Mapping[str, int]) -> None:
        """Write the one row of the slot."""
        self._clear(table)
        self._connection.execute(_insertion(table), [{"slot": self._slot, **row}])
        whole = {column.name: np.array([row[column.name]]) for column in table.columns if column.name != "slot"}
        self._keep_digest(table, rows_digest(table, whole))

    def put_block(self, table: sa.Table, block: bytes, **counts: int) -> None:
        """Write the packed block of the slot, which carries its own digest too."""
        self._clear(table)
        row = {"slot": self._slot, **counts, "block": block}
        self._connection.execute(_insertion(table), [row])
        self._keep_digest(table, digest_of_rows([row]))

    def seal(self) -> None:
        """Write the digests of all rows."""
        put_digests(self._connection, self._slot, self._digests)

    def _clear(self, table: sa.Table) -> None:
        if table.name in self._there:
            clear_slot(self._connection, table, self._slot)

    def _keep_digest(self, table: sa.Table, digest: bytes) -> None:
        self._digests[str(table.name)] = digest


def clear_slot(connection: sa.Connection, table: sa.Table, slot: int) -> None:
    """Delete a table's rows of a slot [Unix s]."""
    connection.execute(_deletion(table), {"of_slot": slot})


@cache
def _deletion(table: sa.Table) -> sa.Delete:
    """Statement that deletes the rows of `of_slot`; statements are made once, as that takes longer than to execute."""
    return sa.delete(table).where(table.c.slot == sa.bindparam("of_slot"))


@cache
def _insertion(table: sa.Table) -> sa.Insert:
    """Statement that inserts rows."""
    return sa.insert(table)
