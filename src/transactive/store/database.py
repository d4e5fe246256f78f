"""The database behind a run, through SQLAlchemy Core: one SQLite file in the folder, or a schema of PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any, Self

import msgspec
import sqlalchemy as sa

from transactive.core.community.membership import Roster, roster_of
from transactive.core.errors import StateError, UnreadableState
from transactive.store.databases import dialect
from transactive.store.databases.place import database_of
from transactive.store.folder import make_private
from transactive.store.schema import SETTINGS
from transactive.store.sealing import seal
from transactive.store.soundness import require_sealed, require_sound
from transactive.store.upgrade import prepare

ROSTERS = "rosters"
"""Setting: who had accounts from when on, as JSON of `Roster`; none in a run that nobody has joined."""


class Database:
    """Transactions, queries and settings of one folder's database."""

    def __init__(self, folder: Path) -> None:
        """Open the folder's database, creating both if needed, and bring one of an older version up to this program's.

        Raises StateError if the folder cannot be written, or holds a state that is damaged or of a newer version.
        """
        make_private(folder)
        self.path = database_of(folder)
        self._rosters: tuple[Roster, ...] | None = None
        self.read_with: int | None = None
        self.engine = dialect.engine(self.path)
        try:
            with self._state_errors():
                dialect.require_place(self.path)
                prepare(self.engine, self.path)
                require_sound(self.engine, self.path)
        except BaseException:
            self.engine.dispose()
            raise

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """Run one transaction; a full or read-only disk becomes a StateError and nothing is written."""
        with self._state_errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def connection(self) -> Iterator[sa.Connection]:
        """A connection for queries. Raises StateError where the file cannot be read."""
        with self._state_errors(), self.engine.connect() as connection:
            yield connection

    def rows(self, statement: sa.Select[Any] | sa.CompoundSelect[Any], **wanted: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 - values of its parameters
        """Rows of a query as mappings."""
        with self.connection() as connection:
            return [dict(row) for row in connection.execute(statement, wanted).mappings()]

    def require_sealed(self, table: sa.Table, slot: int | None = None) -> None:
        """Require that a table's rows, of a slot or of all slots, are as they were written. Raises StateError."""
        with self._state_errors():
            require_sealed(self.engine, self.path, table, slot)

    def setting(self, key: str) -> str | None:
        """Value of a setting, or None."""
        with self.connection() as connection:
            value: str | None = connection.scalar(sa.select(SETTINGS.c.value).where(SETTINGS.c.key == key))
        return value

    @property
    def rosters(self) -> tuple[Roster, ...]:
        """Who had accounts from when on, oldest first; empty in a run that nobody has joined."""
        if self._rosters is None:
            text = self.setting(ROSTERS)
            self._rosters = () if text is None else msgspec.json.decode(text, type=tuple[Roster, ...])
        return self._rosters

    def forget(self) -> None:
        """Read anew, when next asked, what is kept in memory of settings."""
        self._rosters = None

    def numbers_in(self, slot: int) -> tuple[int, int]:
        """Members that a slot [Unix s] was written with, and members that it is read as; (0, 0) where all are alike."""
        then = roster_of(self.rosters, slot)
        return (0, 0) if then is None else (then.members, self.read_with or self.rosters[-1].members)

    def as_of(self, members: int) -> Self:
        """The same database, read with the numbers that accounts have where there are so many members."""
        view = copy(self)
        view.read_with = members
        return view

    def set(self, *, without: str = "", **values: str) -> None:
        """Write settings, replacing earlier values, in one transaction that also deletes the one named `without`."""
        with self.transaction() as connection:
            dialect.upsert(connection, SETTINGS, [{"key": key, "value": value} for key, value in values.items()])
            connection.execute(sa.delete(SETTINGS).where(SETTINGS.c.key == without))
            seal(connection, SETTINGS)
        self.forget()

    def wipe_free_pages(self) -> None:
        """Leave nothing of deleted or replaced rows in the files; other processes have to be off the folder."""
        with self._state_errors(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            dialect.wipe(connection)

    @contextmanager
    def _state_errors(self) -> Iterator[None]:
        """Turn what the disk refuses, and what cannot be read, into a StateError that names the file."""
        try:
            yield
        except sa.exc.IntegrityError:
            raise
        except sa.exc.OperationalError as error:
            raise StateError(
                f"{self.path}: {error.orig}; free space or permissions, then run the same again"
            ) from error
        except (sa.exc.DatabaseError, UnicodeDecodeError) as error:  # SQLite may quote what is damaged
            said = error.orig if isinstance(error, sa.exc.DatabaseError) else error
            raise UnreadableState(f"{self.path}: {said}; `transactive state check` says where") from error
