"""Deletes what a run need not keep any longer; what is settled, signed or committed stays."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from transactive.core.items import ItemState
from transactive.store.database import Database
from transactive.store.schema import FORECASTS, ITEMS, PLANS
from transactive.store.sealing import NO_SLOT, seal

KEPT_TABLES = {"forecasts": FORECASTS, "plans": PLANS, "findings": ITEMS}
"""Kinds of data in the database that have a time to live."""


def drop_before(store: Database, kind: str, before: int, *, do: bool) -> int:
    """Delete rows of a kind that are older than a time [Unix s], or only count them; returns how many.

    Forecasts and plans are as old as their slot. Findings go once they are closed: by when that was, and in the order
    of their numbers, the newest one staying, so that no number is given twice.
    """
    table = KEPT_TABLES[kind]
    with store.transaction() as connection:
        old = _old(kind, before)
        count = int(connection.scalar(sa.select(sa.func.count()).select_from(table).where(old)) or 0)
        if count and do:
            slots: Iterable[int] = [NO_SLOT]
            if table is not ITEMS:
                slots = [int(slot) for slot in connection.scalars(sa.select(table.c.slot).where(old).distinct())]
            connection.execute(sa.delete(table).where(old))
            seal(connection, table, slots)
    return count


def _old(kind: str, before: int) -> sa.ColumnElement[bool]:
    """Which rows of a kind are older than a time."""
    if kind != "findings":
        return KEPT_TABLES[kind].c.slot < before
    newest = sa.select(sa.func.max(ITEMS.c.number)).scalar_subquery()
    return (ITEMS.c.state == int(ItemState.CLOSED)) & (ITEMS.c.changed < before) & (ITEMS.c.number < newest)
