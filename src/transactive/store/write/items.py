"""Items of detection: written by the run, moved on by the operator."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from transactive.core.errors import InputError
from transactive.core.items import Item, ItemState
from transactive.store.database import Database
from transactive.store.read.items import FEEDER, item_of
from transactive.store.schema import ITEMS
from transactive.store.sealing import seal


def save_items(store: Database, items: Sequence[Item]) -> None:
    """Write what a scan found of these items; their state is the operator's, and stays."""
    if not items:
        return
    with store.transaction() as connection:
        for item in items:
            found = {
                column.name: getattr(item, column.name) for column in ITEMS.columns if column.name not in _OPERATORS
            }
            found["member"] = FEEDER if item.member is None else item.member
            known = connection.execute(sa.update(ITEMS).where(ITEMS.c.number == item.number).values(found)).rowcount
            if not known:
                connection.execute(sa.insert(ITEMS), [{**found, "state": int(item.state), "changed": item.changed}])
        seal(connection, ITEMS)


_OPERATORS = ("state", "changed")


def set_state(store: Database, number: int, state: ItemState, at: int) -> Item:
    """Move an item on, or back, at a time [Unix s]. Raises InputError for an unknown one."""
    unknown = InputError(f"item {number}: there is none; ask for the list of items")
    if not 0 < number < 2**63:  # beyond what the database can hold
        raise unknown
    with store.transaction() as connection:
        values = {"state": int(state), "changed": at}
        if not connection.execute(sa.update(ITEMS).where(ITEMS.c.number == number).values(values)).rowcount:
            raise unknown
        seal(connection, ITEMS)
    return item_of(store.rows(sa.select(ITEMS).where(ITEMS.c.number == number))[0])
