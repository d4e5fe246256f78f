"""What one database does otherwise than another: opening, durability, and writing in place of what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert


def engine(path: Path) -> sa.Engine:
    """Engine of a SQLite file that every commit is on disk of before it returns."""
    made = sa.create_engine(f"sqlite:///{path}")
    sa.event.listen(made, "connect", _durable)
    return made


def _durable(connection: Any, _: object) -> None:  # noqa: ANN401 - the driver's own connection
    """Write-ahead log with full sync: what is committed survives a crash."""
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")


def upsert(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows, each in place of one with the same key; all rows name the same columns."""
    if rows:
        key = [column.name for column in table.primary_key.columns]
        statement = insert(table)
        others = {name: statement.excluded[name] for name in rows[0] if name not in key}
        connection.execute(statement.on_conflict_do_update(index_elements=key, set_=others), list(rows))
