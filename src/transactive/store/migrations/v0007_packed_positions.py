"""Positions of a slot, and those of its day-ahead session, become one packed block each."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from transactive.store.row_blocks import POSITION, pack_positions

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the new tables, fill them from the old ones, and drop those. The program seals them at the end."""
    database = op.get_bind()
    _replace(database, "positions", cleared="clearings")
    _replace(database, "positions_ahead", cleared="orders_ahead")
    digests = sa.table("digests", sa.column("name"))
    database.execute(sa.delete(digests).where(digests.c.name.in_(("positions", "positions_ahead"))))


def _replace(database: sa.Connection, name: str, cleared: str) -> None:
    """One table's rows as blocks. cleared: the table with the slots that have one, also where it is empty."""
    op.rename_table(name, f"{name}_before")
    old, slots = sa.table(f"{name}_before", *map(sa.column, ("slot", *POSITION))), sa.table(cleared, sa.column("slot"))
    new = op.create_table(
        name,
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("positions", sa.BigInteger, nullable=False),
        sa.Column("block", sa.LargeBinary, nullable=False),
    )
    rows = database.execute(sa.select(*old.c).order_by(old.c.slot))
    found = {slot: [tuple(row[1:]) for row in some] for slot, some in groupby(rows, itemgetter(0))}
    given = [_packed(slot, found.get(slot, [])) for slot in database.scalars(sa.select(slots.c.slot))]
    if given:
        database.execute(sa.insert(new), given)
    op.drop_table(old.name)


def _packed(slot: int, rows: list[tuple[int, ...]]) -> dict[str, Any]:
    """Rows of a slot as its block with its count."""
    columns = np.array(rows, np.int64).reshape(len(rows), len(POSITION)).T
    block, counts = pack_positions(dict(zip(POSITION, columns, strict=True)))
    return {"slot": slot, **counts, "block": block}
