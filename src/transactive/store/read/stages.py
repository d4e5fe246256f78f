"""Which stages slots have reached: cleared, delivered, committed."""

from __future__ import annotations

import sqlalchemy as sa

from transactive.store.database import Database
from transactive.store.schema import BLOCKS, CLEARINGS, ORDERS_AHEAD, READINGS

STAGES = (CLEARINGS, READINGS, BLOCKS)


def reached(store: Database, stage: int, since: int, most: int) -> list[int]:
    """First slots from `since` on that have reached a stage: 0 cleared, 1 delivered, 2 committed; at most so many."""
    slot = STAGES[stage].c.slot
    chosen = sa.select(slot).where(slot >= since).distinct().order_by(slot).limit(most)
    return [int(row["slot"]) for row in store.rows(chosen)]


def last_traded(store: Database) -> int:
    """Latest slot for which anything was traded [Unix s], 0 before the first."""
    latest = (store.rows(sa.select(sa.func.max(table.c.slot).label("last"))) for table in (CLEARINGS, ORDERS_AHEAD))
    return max(int(rows[0]["last"] or 0) for rows in latest)
