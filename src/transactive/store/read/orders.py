"""Orders of a slot, taken out of their packed block: as columns, and as rows in the order in which they entered."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.slots import time_text
from transactive.core.units import IntArray
from transactive.store.database import Database
from transactive.store.schema import ORDERS
from transactive.store.slot_blocks import unpack_orders

NAMES = ("member", "is_buy", "price", "energy_wh", "lock_n", "allocated_wh", "money_n")


def order_columns(store: Database, table: sa.Table, slot: int) -> dict[str, IntArray]:
    """Columns of a slot's orders; empty ones where the slot has no block. Raises StateError for a damaged block."""
    found = store.rows(sa.select(table.c.block).where(table.c.slot == slot))
    if not found:
        return {name: np.zeros(0, np.int64) for name in NAMES}
    return unpack_orders(found[0]["block"], f"{store.path}: orders of {time_text(slot)}")


def order_rows(store: Database, slot: int, member: int | None = None) -> list[Mapping[str, Any]]:
    """Admitted orders of a slot with what they were given, of all or of one member."""
    columns = order_columns(store, ORDERS, slot)
    chosen = range(len(columns["member"])) if member is None else np.flatnonzero(columns["member"] == member).tolist()
    values = {name: column.tolist() for name, column in columns.items()}
    return [{"slot": slot, "row": row, **{name: values[name][row] for name in NAMES}} for row in chosen]


def orders_from(store: Database, first: int, member: int | None = None) -> Iterator[Mapping[str, Any]]:
    """Orders from a slot on, slot by slot."""
    slots = store.rows(sa.select(ORDERS.c.slot).where(ORDERS.c.slot >= first).order_by(ORDERS.c.slot))
    for row in slots:
        yield from order_rows(store, row["slot"], member)
