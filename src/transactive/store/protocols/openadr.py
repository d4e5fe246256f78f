"""Objects of an OpenADR VTN in a file of the state folder, and notices of their changes that wait to be sent.

An object and the notices of its change are one transaction, so that a kill leaves both or neither.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from transactive.core.errors import StateError, UnreadableState
from transactive.store.databases import dialect
from transactive.store.folder import make_private

OPENADR_FILE = "openadr.sqlite"
_METADATA = sa.MetaData()
OBJECTS = sa.Table(
    "objects",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.Text, nullable=False, unique=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("parent", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("kind", "identity"),
)
NOTICES = sa.Table(
    "notices",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("subscription", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("bearer", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False),
    sa.Column("due", sa.Integer, nullable=False),
)
CHANGES = sa.Table("changes", _METADATA, sa.Column("number", sa.Integer, primary_key=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object. identity: unique among its kind. client: who made it. parent: id of what it belongs to. body: JSON."""

    id: str
    kind: str
    identity: str
    client: str
    parent: str
    body: bytes
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingNotice:
    """A notice that waits. subscription: id of whose it is. due: when to try [Unix s], after so many tries."""

    subscription: str
    url: str
    bearer: str
    body: bytes
    tries: int = 0
    due: int = 0
    number: int = 0


class ObjectTaken(StateError):
    """Another object of the kind has this identity."""


class ObjectBook:
    """Objects of one VTN, from any thread; several processes may have it open."""

    def __init__(self, folder: Path) -> None:
        """Open the file of a folder, or begin one. Raises StateError where it cannot be."""
        make_private(folder)
        self._path = folder / OPENADR_FILE
        self._engine = dialect.engine(self._path)
        self._lock = threading.Lock()
        self._seen, self._kept = -1, dict[str, list[StoredObject]]()
        try:
            with self._engine.begin() as connection:
                _METADATA.create_all(connection)
        except sa.exc.DatabaseError as error:
            self._engine.dispose()
            raise UnreadableState(f"{self._path}: {error.orig}; restore it from a backup, or delete it") from error

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def all_of(self, kind: str, *, fresh: bool = True) -> list[StoredObject]:
        """Objects of a kind in the order in which they came; read again only when something has changed.

        fresh: ask whether it has; not needed where the same question was asked just before.
        """
        with self._lock:
            if not fresh and kind in self._kept:
                return self._kept[kind]
            with self._engine.connect() as connection:
                changed = connection.scalar(sa.select(sa.func.max(CHANGES.c.number))) or 0
                if changed != self._seen:
                    self._seen, self._kept = changed, {}
                if kind not in self._kept:
                    query = sa.select(OBJECTS).where(OBJECTS.c.kind == kind).order_by(OBJECTS.c.number)
                    rows = connection.execute(query)
                    self._kept[kind] = [StoredObject(**row._mapping) for row in rows]  # noqa: SLF001 - its public name
                return self._kept[kind]

    def counts(self, client: str) -> Counter[str]:
        """How many objects of each kind a client has made."""
        query = (
            sa.select(OBJECTS.c.kind, sa.func.count().label("made"))
            .where(OBJECTS.c.client == client)
            .group_by(OBJECTS.c.kind)
        )
        with self._engine.connect() as connection:
            return Counter({row.kind: row.made for row in connection.execute(query)})

    def put(self, made: StoredObject, notices: Sequence[WaitingNotice]) -> None:
        """Keep an object in place of the one with its id, and the notices of it.

        Raises ObjectTaken where another object of the kind has its identity; then nothing has changed.
        """
        row = {name: getattr(made, name) for name in ("id", "kind", "identity", "client", "parent", "body")}
        with self._written() as connection:
            try:
                if not connection.execute(sa.update(OBJECTS).where(OBJECTS.c.id == made.id).values(row)).rowcount:
                    connection.execute(sa.insert(OBJECTS), [row])
            except sa.exc.IntegrityError as error:
                raise ObjectTaken(f"{made.kind} {made.identity}: is there already") from error
            self._tell(connection, notices)

    def remove(self, ids: Sequence[str], notices: Sequence[WaitingNotice]) -> None:
        """Take objects away, with notices that wait for one of them."""
        with self._written() as connection:
            connection.execute(sa.delete(NOTICES).where(NOTICES.c.subscription.in_(ids)))
            connection.execute(sa.delete(OBJECTS).where(OBJECTS.c.id.in_(ids)))
            self._tell(connection, notices)

    def due(self, now: int, most: int) -> list[WaitingNotice]:
        """Notices to send now [Unix s], oldest first; of each subscription the oldest alone, so that order holds."""
        first = sa.select(sa.func.min(NOTICES.c.number)).group_by(NOTICES.c.subscription)
        query = sa.select(NOTICES).where(NOTICES.c.number.in_(first), NOTICES.c.due <= now)
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(NOTICES.c.number).limit(most)).all()
        return [WaitingNotice(**row._mapping) for row in rows]  # noqa: SLF001 - its public name

    def sent(self, number: int) -> None:
        """Forget a notice that came over."""
        with self._written(changes=False) as connection:
            connection.execute(sa.delete(NOTICES).where(NOTICES.c.number == number))

    def again(self, number: int, tries: int, due: int) -> None:
        """Let a notice wait until a time [Unix s]."""
        with self._written(changes=False) as connection:
            connection.execute(sa.update(NOTICES).where(NOTICES.c.number == number).values(tries=tries, due=due))

    def give_up(self, subscription: str) -> None:
        """Forget the notices of a subscription that nobody takes."""
        with self._written(changes=False) as connection:
            connection.execute(sa.delete(NOTICES).where(NOTICES.c.subscription == subscription))

    def _tell(self, connection: sa.Connection, notices: Sequence[WaitingNotice]) -> None:
        names = ("subscription", "url", "bearer", "body", "tries", "due")
        if notices:
            connection.execute(sa.insert(NOTICES), [{name: getattr(one, name) for name in names} for one in notices])

    @contextmanager
    def _written(self, *, changes: bool = True) -> Iterator[sa.Connection]:
        """One transaction in which nobody else writes. Raises StateError where it cannot be; then nothing was."""
        try:
            with dialect.alone(self._engine) as connection:
                yield connection
                if changes:
                    last = connection.scalar(sa.select(sa.func.max(CHANGES.c.number))) or 0
                    connection.execute(sa.delete(CHANGES))
                    connection.execute(sa.insert(CHANGES), [{"number": last + 1}])
        except sa.exc.OperationalError as error:
            raise StateError(f"{self._path}: {error.orig}; free space or permissions; nothing was changed") from error
