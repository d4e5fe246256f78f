"""Rows that a stage of a slot writes in its own transaction, whatever table they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import sqlalchemy as sa

Puts: TypeAlias = Sequence[tuple[sa.Table, Mapping[str, Any]]]
"""Rows to write, each into its table, in place of one with the same key."""


def write(connection: sa.Connection, puts: Puts) -> None:
    """Write rows, each in place of one with the same key."""
    for table, row in puts:
        connection.execute(sa.insert(table).prefix_with("OR REPLACE"), [row])
