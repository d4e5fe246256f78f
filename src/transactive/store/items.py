"""Items of detection in the database: written by the run, moved on by the operator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.errors import InputError
from transactive.core.items import Item, ItemState
from transactive.core.units import IntArray
from transactive.store.database import Store
from transactive.store.schema import ITEMS, READINGS

FEEDER = -1
"""In place of a member: the whole feeder."""


def read_items(store: Store) -> list[Item]:
    """All items, oldest first."""
    return [item_of(row) for row in store.rows(sa.select(ITEMS).order_by(ITEMS.c.number))]


def item_of(row: Any) -> Item:  # noqa: ANN401 - a row as a mapping
    """An item from its row."""
    rest = {name: value for name, value in row.items() if name not in ("member", "state")}
    return Item(member=None if row["member"] == FEEDER else row["member"], state=ItemState(row["state"]), **rest)


def save_items(store: Store, items: Sequence[Item]) -> None:
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


_OPERATORS = ("state", "changed")


def set_state(store: Store, number: int, state: ItemState, at: int) -> Item:
    """Move an item on, or back, at a time [Unix s]. Raises InputError for an unknown one."""
    unknown = InputError(f"item {number}: there is none; ask for the list of items")
    if not 0 < number < 2**63:  # beyond what the database can hold
        raise unknown
    with store.transaction() as connection:
        values = {"state": int(state), "changed": at}
        if not connection.execute(sa.update(ITEMS).where(ITEMS.c.number == number).values(values)).rowcount:
            raise unknown
    return item_of(store.rows(sa.select(ITEMS).where(ITEMS.c.number == number))[0])


def daily_meters(store: Store, members: int, first: int, end: int, day: int) -> dict[str, IntArray]:
    """Sums of what batteries and promises did, by days of `day` [s] from `first` to before `end`, (members, days).

    charge_wh, discharge_wh, sold_wh, and short_wh: sold and not exported. Zero on days that were not run.
    """
    c = READINGS.c
    short = sa.func.sum(sa.case((c.sold_wh > c.export_wh, c.sold_wh - c.export_wh), else_=0)).label("short_wh")
    place = ((c.slot - first) / day).cast(sa.Integer).label("day")
    sums = [sa.func.sum(c[name]).label(name) for name in ("charge_wh", "discharge_wh", "sold_wh")]
    inside = c.slot >= first, c.slot < end
    rows = store.rows(sa.select(c.member, place, *sums, short).where(*inside).group_by(c.member, place))
    columns = {
        name: np.zeros((members, (end - first) // day), np.int64) for name in (*(s.name for s in sums), "short_wh")
    }
    for row in rows:
        for name, column in columns.items():
            column[row["member"], row["day"]] = row[name]
    return columns
