"""Items of detection in the database: written by the run, moved on by the operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.items import Item, ItemState
from transactive.core.units import IntArray
from transactive.store.database import Database
from transactive.store.schema import ITEMS, READINGS

FEEDER = -1
"""In place of a member: the whole feeder."""


def read_items(store: Database, member: int | None = None) -> list[Item]:
    """All items, or those of one member or the feeder, oldest first."""
    wanted = sa.select(ITEMS).order_by(ITEMS.c.number)
    return [item_of(row) for row in store.rows(wanted if member is None else wanted.where(ITEMS.c.member == member))]


def item_of(row: Any) -> Item:  # noqa: ANN401 - a row as a mapping
    """An item from its row."""
    rest = {name: value for name, value in row.items() if name not in ("member", "state")}
    return Item(member=None if row["member"] == FEEDER else row["member"], state=ItemState(row["state"]), **rest)


def daily_meters(store: Database, members: int, first: int, end: int, day: int) -> dict[str, IntArray]:
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
