"""Readings, postings and bundles of a slot become one packed block each; sums and kinds stand beside them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import sqlalchemy as sa
from alembic import op

from transactive.core.units import IntArray
from transactive.store.row_blocks import BUNDLE, POSTING, READING, pack_bundles, pack_postings, pack_readings

revision = "0006"
down_revision = "0005"

SUMS = (
    *("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh", "bought_wh", "sold_wh"),
    *("location_mg", "market_mg", "unmatched_mg", "levy_n"),
)
Pack = Callable[[Mapping[str, IntArray]], tuple[bytes, dict[str, int]]]


def upgrade() -> None:
    """Make the new tables, fill them from the old ones, and drop those. The program seals them at the end."""
    database = op.get_bind()
    _replace(database, "readings", READING, ("member",), ("meters", *SUMS), pack_readings)
    _replace(database, "postings", POSTING, ("row",), ("postings", "kinds"), pack_postings)
    _replace(database, "certificates", BUNDLE, ("device", "first_wh"), ("bundles", "states"), pack_bundles)
    digests = sa.table("digests", sa.column("name"))
    database.execute(sa.delete(digests).where(digests.c.name.in_(("readings", "postings", "certificates"))))


def _replace(
    database: sa.Connection, name: str, columns: tuple[str, ...], order: tuple[str, ...], counts: tuple[str, ...],
    pack: Pack,
) -> None:  # fmt: skip
    """One table's rows as blocks. Slots that were delivered have one, also where it is empty."""
    op.rename_table(name, f"{name}_before")
    old = sa.table(f"{name}_before", *map(sa.column, ("slot", *columns, *order)))
    new = op.create_table(
        name,
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        *(sa.Column(count, sa.BigInteger, nullable=False) for count in counts),
        sa.Column("block", sa.LargeBinary, nullable=False),
    )
    wanted = sa.select(*(old.c[column] for column in ("slot", *columns)))
    rows = database.execute(wanted.order_by(*(old.c[column] for column in ("slot", *order))))
    found = {
        slot: _packed([tuple(row[1:]) for row in some], columns, pack) for slot, some in groupby(rows, itemgetter(0))
    }
    nothing = _packed([], columns, pack)
    given = [{"slot": slot, **found.get(slot, nothing)} for slot in _delivered(database)]
    if given:
        database.execute(sa.insert(new), given)
    op.drop_table(old.name)


def _packed(rows: Sequence[tuple[int, ...]], columns: tuple[str, ...], pack: Pack) -> dict[str, Any]:
    """Rows of a slot as its block with its counts."""
    table = np.array(rows, np.int64).reshape(len(rows), len(columns))
    block, counts = pack(dict(zip(columns, table.T, strict=True)))
    return {**counts, "block": block}


def _delivered(database: sa.Connection) -> list[int]:
    """Slots that were delivered, in order."""
    footprints = sa.table("footprints", sa.column("slot"))
    return list(database.scalars(sa.select(footprints.c.slot).order_by(footprints.c.slot)))
