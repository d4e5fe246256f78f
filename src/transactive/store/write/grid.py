"""Lines of a network in the database: forecasts as they are made, loads and what was done once a slot is delivered."""

from __future__ import annotations

from typing import Any

import numpy as np
import sqlalchemy as sa

from transactive.core.congestion import FORECAST, Congestion, Interventions, LineLoads
from transactive.store.database import Database
from transactive.store.schema import CONGESTION, INTERVENTIONS, LINE_LOADS
from transactive.store.sealing import seal


def save_congestion(store: Database, expected: Congestion, *, ahead: bool) -> None:
    """Write the forecast of lines for some slots: of the day ahead, or of a slot whose gate closes."""
    slots, lines = expected.over_ppm.shape
    columns = {name: getattr(expected, name).ravel().tolist() for name in FORECAST}
    columns["slot"] = np.repeat(expected.slots, lines).tolist()
    columns["line"] = np.tile(np.arange(lines), slots).tolist()
    same = sa.and_(CONGESTION.c.slot.in_(expected.slots.tolist()), CONGESTION.c.ahead == int(ahead))
    with store.transaction() as connection:
        connection.execute(sa.delete(CONGESTION).where(same))
        connection.execute(sa.insert(CONGESTION), _rows(columns, ahead=int(ahead)))
        seal(connection, CONGESTION, expected.slots.tolist())


def save_loads(store: Database, loads: LineLoads, done: Interventions) -> None:
    """Write what the lines of a delivered slot carried, and what was done for them."""
    lines = {name: column.tolist() for name, column in loads.columns().items() if name != "slot"}
    lines["line"] = list(range(len(loads.flow_wh)))
    asked = {name: column.tolist() for name, column in done.columns().items() if name != "slot"}
    with store.transaction() as connection:
        for table, columns in ((LINE_LOADS, lines), (INTERVENTIONS, asked)):
            connection.execute(sa.delete(table).where(table.c.slot == loads.slot))
            if rows := _rows(columns, slot=loads.slot):
                connection.execute(sa.insert(table), rows)
            seal(connection, table, [loads.slot])


def _rows(columns: dict[str, list[int]], **same: int) -> list[dict[str, Any]]:
    """Columns as rows that share some values."""
    return [dict(zip(columns, row, strict=True)) | same for row in zip(*columns.values(), strict=True)]
