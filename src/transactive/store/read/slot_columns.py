"""What a slot has many of, taken out of its packed blocks: as columns, and as rows in the order of their key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.slots import time_text
from transactive.core.units import BoolArray, IntArray
from transactive.store.database import Database
from transactive.store.row_blocks import BUNDLE, POSITION, POSTING, READING, unpack_columns
from transactive.store.schema import CERTIFICATES, ORDERS, ORDERS_AHEAD, POSITIONS, POSITIONS_AHEAD, POSTINGS, READINGS
from transactive.store.slot_blocks import unpack_orders

Columns = Mapping[str, IntArray]
ORDER = ("member", "is_buy", "price", "energy_wh", "lock_n", "allocated_wh", "money_n")
NAMES = {
    ORDERS: ORDER,
    ORDERS_AHEAD: ORDER,
    POSITIONS: POSITION,
    POSITIONS_AHEAD: POSITION,
    POSTINGS: POSTING,
    CERTIFICATES: BUNDLE,
    READINGS: READING,
}
NUMBERED = (ORDERS, POSTINGS)
"""Tables whose rows are numbered within their slot."""
AT_ONCE = 128
"""Blocks that are fetched together."""
Chosen = Callable[[Columns], BoolArray]
"""Which rows of a slot are asked for."""


def columns_of(store: Database, table: sa.Table, slot: int) -> dict[str, IntArray]:
    """Columns of a slot; empty ones where it has no block. Raises StateError for a damaged block."""
    found = store.rows(sa.select(table.c.block).where(table.c.slot == slot))
    if not found:
        return {name: np.zeros(0, np.int64) for name in NAMES[table]}
    return _unpacked(store, table, slot, found[0]["block"], None)


def each_slot(
    store: Database, table: sa.Table, *where: sa.ColumnElement[bool], names: Collection[str] | None = None
) -> Iterator[tuple[int, dict[str, IntArray]]]:
    """Columns slot by slot, all or some, of the slots that conditions on the table allow."""
    after = -1
    while True:
        wanted = sa.select(table.c.slot, table.c.block).where(table.c.slot > after, *where)
        found = store.rows(wanted.order_by(table.c.slot).limit(AT_ONCE))
        for row in found:
            yield row["slot"], _unpacked(store, table, row["slot"], row["block"], names)
        if len(found) < AT_ONCE:
            return
        after = found[-1]["slot"]


def has(column: sa.Column[Any], *kinds: int) -> sa.ColumnElement[bool]:
    """Whether one of some kinds is among the bits of a column."""
    return column.bitwise_and(sum(1 << kind for kind in kinds)) != 0


def rows_of(store: Database, table: sa.Table, slot: int, chosen: Chosen | None = None) -> list[Mapping[str, Any]]:
    """Rows of a slot with its time, and numbers where they have some; all or those that are chosen."""
    columns = columns_of(store, table, slot)
    count = len(columns[NAMES[table][0]])
    places = range(count) if chosen is None else np.flatnonzero(chosen(columns)).tolist()
    values = {name: columns[name].tolist() for name in NAMES[table]}
    return [
        {
            "slot": slot,
            **({"row": place} if table in NUMBERED else {}),
            **{name: values[name][place] for name in values},
        }
        for place in places
    ]


def rows_from(
    store: Database, table: sa.Table, first: int, chosen: Chosen | None = None
) -> Iterator[Mapping[str, Any]]:
    """Rows from a slot on, slot by slot."""
    for row in store.rows(sa.select(table.c.slot).where(table.c.slot >= first).order_by(table.c.slot)):
        yield from rows_of(store, table, row["slot"], chosen)


def _unpacked(
    store: Database, table: sa.Table, slot: int, block: bytes, names: Collection[str] | None
) -> dict[str, IntArray]:
    what = f"{store.path}: {table.name} of {time_text(slot)}"
    if NAMES[table] is ORDER:
        return unpack_orders(block, what)
    return _renumbered(table, unpack_columns(block, what, names), *store.numbers_in(slot))


def _renumbered(table: sa.Table, columns: dict[str, IntArray], then: int, now: int) -> dict[str, IntArray]:
    """Columns that were written with `then` members, as they are with `now`: who joined later had nothing.

    Members keep their numbers; other accounts follow the last member, and so move on.
    """
    if then == now:
        return columns
    for name in ("payer", "payee", "owner"):
        if name in columns:
            columns[name] = np.where(columns[name] >= then, columns[name] + (now - then), columns[name])
    if table is READINGS:
        joined = {name: np.zeros(now - then, np.int64) for name in columns} | {"member": np.arange(then, now)}
        return {name: np.append(column, joined[name]) for name, column in columns.items()}
    return columns
