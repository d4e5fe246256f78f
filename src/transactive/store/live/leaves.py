"""Leaves that boxes have not said to have: what a live market tells again until its boxes keep it themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from transactive.core.errors import StateError, UnreadableState
from transactive.store.databases import dialect

LEAVES_FILE = "leaves.sqlite"
_METADATA = sa.MetaData()
LEAVES = sa.Table(
    "leaves",
    _METADATA,
    sa.Column("member", sa.Integer, primary_key=True),
    sa.Column("slot", sa.Integer, primary_key=True),
    sa.Column("file", sa.LargeBinary, nullable=False),
)


class LeafOutbox:
    """Leaves by member and slot (both numbers), from any thread; a lost file is begun anew."""

    def __init__(self, path: Path) -> None:
        """Open the file of a market, or begin one. Raises StateError where it is none."""
        self._path, self._engine = path, dialect.engine(path)
        try:
            with self._engine.begin() as connection:
                _METADATA.create_all(connection)
        except sa.exc.DatabaseError as error:
            self._engine.dispose()
            raise UnreadableState(
                f"{path}: {error.orig}; delete it, and boxes are told of the slots to come"
            ) from error

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def put(self, slot: int, files: Mapping[int, bytes], since: int) -> None:
        """Keep the leaves of a slot by member, in place of those of the same slot; those from before `since` go.

        Raises StateError where they cannot be written; then none is.
        """
        rows = [{"member": member, "slot": slot, "file": file} for member, file in files.items()]
        with self._written() as connection:
            connection.execute(sa.delete(LEAVES).where((LEAVES.c.slot < since) | (LEAVES.c.slot == slot)))
            if rows:
                connection.execute(sa.insert(LEAVES), rows)

    def oldest(self, member: int) -> tuple[int, bytes] | None:
        """Slot and file of a member's oldest leaf; None without one."""
        query = sa.select(LEAVES.c.slot, LEAVES.c.file).where(LEAVES.c.member == member)
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(LEAVES.c.slot).limit(1)).one_or_none()
        return (found.slot, found.file) if found else None

    def remove(self, member: int, slot: int) -> None:
        """Forget a leaf that its box has. Raises StateError where it cannot be."""
        with self._written() as connection:
            connection.execute(sa.delete(LEAVES).where(LEAVES.c.member == member, LEAVES.c.slot == slot))

    @contextmanager
    def _written(self) -> Iterator[sa.Connection]:
        """One transaction in which nobody else writes. Raises StateError where it cannot be."""
        try:
            with dialect.alone(self._engine) as connection:
                yield connection
        except sa.exc.OperationalError as error:
            raise StateError(f"{self._path}: {error.orig}; free space or permissions; nothing is lost") from error
