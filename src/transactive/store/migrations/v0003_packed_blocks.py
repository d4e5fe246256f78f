"""Orders, signatures and forecasts of a slot, and what members are told, become one packed block each.

Tables of a slot get digests from here on; rows of before have none, and are read as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np
import sqlalchemy as sa
from alembic import op

from transactive.core.proofs.accepted_orders import Accepted
from transactive.core.proofs.signed_orders import Grant, Order, SignedOrder
from transactive.store.slot_blocks import pack_figures, pack_orders, pack_signatures, pack_texts

revision = "0003"
down_revision = "0002"

ORDER_COLUMNS = ("member", "is_buy", "price", "energy_wh", "lock_n", "allocated_wh", "money_n")
FIGURES = 6


def upgrade() -> None:
    """Make the new tables, fill them from the old ones slot by slot, and drop those."""
    database = op.get_bind()
    op.create_table("grants", _whole("key"), sa.Column("record", sa.Text, nullable=False), sqlite_with_rowid=False)
    op.create_table(
        "digests",
        _whole("slot"),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    for name in ("orders", "orders_ahead"):
        _pack_orders(database, name)
    _pack_signatures(database)
    _pack_forecasts(database)
    _pack_advice(database)


def _whole(name: str) -> sa.Column[int]:
    """A key of whole numbers."""
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def _replaced(name: str, *columns: sa.Column[int]) -> tuple[sa.TableClause, sa.Table]:
    """The old table under another name, and the new one in its place."""
    op.rename_table(name, f"{name}_before")
    new = op.create_table(name, *columns, sa.Column("block", sa.LargeBinary, nullable=False))
    return sa.table(f"{name}_before"), new


def _slots(database: sa.Connection, old: sa.TableClause, *order: str) -> Iterator[tuple[int, list[sa.RowMapping]]]:
    """Rows of the old table, slot by slot."""
    slot: sa.ColumnClause[int] = sa.column("slot", sa.BigInteger)
    for number in list(database.scalars(sa.select(slot).select_from(old).distinct().order_by(slot))):
        wanted = sa.select(sa.text("*")).select_from(old).where(slot == number).order_by(*map(sa.column, order))
        yield number, list(database.execute(wanted).mappings())


def _pack_orders(database: sa.Connection, name: str) -> None:
    counts = (sa.Column(count, sa.BigInteger, nullable=False) for count in ("orders", "buys"))
    old, new = _replaced(name, _whole("slot"), *counts)
    for slot, rows in _slots(database, old, "row"):
        columns = {column: np.array([row[column] for row in rows], np.int64) for column in ORDER_COLUMNS}
        buys = int(np.count_nonzero(columns["is_buy"]))
        packed = {"slot": slot, "orders": len(rows), "buys": buys, "block": pack_orders(columns)}
        database.execute(sa.insert(new), [packed])
    op.drop_table(old.name)


def _pack_signatures(database: sa.Connection) -> None:
    old, new = _replaced("signatures", _whole("slot"))
    grants = sa.table("grants", sa.column("key"), sa.column("record"))
    known: set[int] = set()
    for slot, rows in _slots(database, old, "member"):
        block, found = pack_signatures([_accepted(row) for row in rows])
        database.execute(sa.insert(new), [{"slot": slot, "block": block}])
        if fresh := [{"key": key, "record": text} for key, text in found.items() if key not in known]:
            database.execute(sa.insert(grants), fresh)
            known |= found.keys()
    op.drop_table(old.name)


def _accepted(row: sa.RowMapping) -> Accepted:
    """A signed order without its book, which is in the orders."""
    book = Order(row["member"], 0, row["serial"], (), ())
    signature, receipt = bytes.fromhex(row["signature"]), bytes.fromhex(row["receipt"])
    if not row["agent"]:
        return Accepted(SignedOrder(book, signature), receipt)
    grant, granted = msgspec.json.decode(row["agent"], type=tuple[Grant, str])
    return Accepted(SignedOrder(book, signature, grant, bytes.fromhex(granted)), receipt)


def _pack_forecasts(database: sa.Connection) -> None:
    names = ("slot", "target", "ahead")
    forecasts = sa.table("forecasts", *map(sa.column, (*names, "data")))
    for row in list(database.execute(sa.select(forecasts)).mappings()):
        figures = np.frombuffer(row["data"], "<i4").reshape(-1, FIGURES).astype(np.int64)
        same = (forecasts.c[name] == row[name] for name in names)
        database.execute(sa.update(forecasts).where(*same).values(data=pack_figures(figures)))


def _pack_advice(database: sa.Connection) -> None:
    old, new = _replaced("advice", _whole("at"))
    told = sa.select(sa.text("*")).select_from(old).order_by(sa.column("member"))
    rows = list(database.execute(told).mappings())
    if rows:
        texts = [row["insights"].encode() for row in rows]
        database.execute(sa.insert(new), [{"at": rows[0]["at"], "block": pack_texts(texts)}])
    op.drop_table(old.name)
