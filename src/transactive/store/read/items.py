"""Items of detection in the database: written by the run, moved on by the operator."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.items import Item, ItemState
from transactive.core.postings import PostingKind, Postings
from transactive.core.units import IntArray
from transactive.store.database import Database
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import ITEMS, POSTINGS, READINGS

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
    names = ("charge_wh", "discharge_wh", "sold_wh")
    columns = {name: np.zeros((members, (end - first) // day), np.int64) for name in (*names, "short_wh")}
    inside = READINGS.c.slot >= first, READINGS.c.slot < end
    for slot, held in each_slot(store, READINGS, *inside, names=(*names, "export_wh")):
        place = (slot - first) // day
        for name in names:
            columns[name][:, place] += held[name]
        columns["short_wh"][:, place] += np.maximum(held["sold_wh"] - held["export_wh"], 0)
    return columns


def held_n(store: Database, members: int) -> IntArray:
    """What findings hold back of each member today [n¤], (members,)."""
    held = np.zeros(members, np.int64)
    some = has(POSTINGS.c.kinds, PostingKind.HOLD, PostingKind.RELEASE)
    for slot, columns in each_slot(store, POSTINGS, some):
        held += Postings(slot, **columns).held_n(members)
    return held
