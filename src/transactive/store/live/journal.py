"""The journal of a live market: every arrival in one append-only file, on disk before it counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import msgspec
import sqlalchemy as sa

from transactive.core.errors import RuleBroken, StateError, UnreadableState
from transactive.store.databases import dialect
from transactive.store.folder import make_private

JOURNAL_FILE = "journal.sqlite"
_METADATA = sa.MetaData()
ARRIVALS = sa.Table(
    "arrivals",
    _METADATA,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("received", sa.Integer, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("body", sa.LargeBinary, nullable=False),
)


class ArrivalKind(StrEnum):
    """What an entry of a journal is."""

    RECORD = "record"
    """A signed record of a meter, as bytes."""
    ENROLLED = "enrolled"
    """A meter of a member, from here on, as `Enrolment` in JSON."""
    ACCOUNT = "account"
    """A member keeps the key of its account itself, from the first slot on, as `OwnAccount` in JSON."""
    ORDER = "order"
    """A signed order for a slot whose gate is open (`core.proofs.order_records`); its number is that of its receipt."""
    NODES = "nodes"
    """Members' nodes negotiate this market themselves: from here on what they show counts, and nothing is played."""
    SEAT = "seat"
    """A key of a slot is let in to trade directly: `engine.live.direct.journaled.EnteredSeat` in JSON."""
    ROLL = "roll"
    """The roll of a slot is closed: its start [Unix s] as text. Seats before this entry are in it."""
    DEAL = "deal"
    """A deal that was shown before its gate: `engine.live.direct.journaled.EnteredDeal` in JSON."""
    REACH = "reach"
    """How a member's node fared in a slot of direct trading: `engine.live.direct.journaled.EnteredReport` in JSON."""
    ACT = "act"
    """What a member did counts from a gate on, which is still open: `engine.live.acts.JournaledAct` in JSON."""
    FORECAST = "forecast"
    """A forecast of a total, sealed or shown: `engine.live.forecasts.journaled.SubmittedTotal` in JSON."""
    HEARD = "heard"
    """A slot's gate closes for forecasts, and those up to an entry count: `HeardUpTo` there in JSON."""
    GATE = "gate"
    """A gate closes, and the orders count that came by then: its time, and until when readings were known, as text."""
    LIMIT = "limit"
    """What the grid's operator allows a home to take: `engine.live.boxes.import_limits.SaidLimit` in JSON."""
    VOID = "void"
    """A gate passed while nobody was there: no order counts; its time, and until when readings were known, as text."""
    DECIDED = "decided"
    """What members decided on counts from the next gate on, as `core.governance.decided.Decided` in JSON."""
    SETTLED = "settled"
    """From here on a slot is settled with what came before; its start [Unix s] as text."""


class Enrolment(msgspec.Struct, frozen=True):
    """A meter that a member's box signs for. address: of its key. member: index. invitation: hash of its code."""

    address: str
    member: int
    invitation: str = ""


class OwnAccount(msgspec.Struct, frozen=True):
    """The address of a member's account. member: index."""

    member: int
    address: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """One entry. number: counted from 1 without a gap. received: by the market's clock [Unix s]."""

    number: int
    received: int
    kind: ArrivalKind
    body: bytes


class JournalReader:
    """A journal that is read, and not a byte of it written. last: number of the newest entry, 0 before the first."""

    is_only_read = True

    def __init__(self, path: Path) -> None:
        """Open the journal of a session. Raises UnreadableState for a file that is none."""
        self.path = path
        self._engine = sa.create_engine(f"sqlite:///file:{quote(str(path.resolve()))}?mode=ro&uri=true")
        self._take_up()

    def close(self) -> None:
        """Close the file."""
        self._engine.dispose()

    def _take_up(self) -> None:
        """See how far the journal has come. received: when its newest entry came [Unix s]."""
        try:
            with self._engine.connect() as connection:
                newest = connection.execute(sa.select(sa.func.max(ARRIVALS.c.number), sa.func.max(ARRIVALS.c.received)))
                last, received = newest.one()
        except sa.exc.DatabaseError as error:
            self._engine.dispose()
            raise UnreadableState(f"{self.path}: {error.orig}; is it the journal of a live market?") from error
        self.last, self.received = last or 0, received or 0

    def append(self, received: int, kind: ArrivalKind, bodies: Sequence[bytes]) -> None:
        """Nothing is written to what is only read. Raises RuleBroken."""
        raise RuleBroken(f"{self.path}: {len(bodies)} entries {kind} at {received}, of a journal that is only read")

    def all_after(self, number: int) -> Iterator[Arrival]:
        """All entries after a number, in order. Raises UnreadableState where one is missing."""
        while found := self.after(number):
            yield from found
            number = found[-1].number

    def of_kinds(self, kinds: Sequence[ArrivalKind], number: int) -> list[Arrival]:
        """The entries of some kinds after a number, in order. Raises UnreadableState where they cannot be read."""
        query = sa.select(ARRIVALS).where(ARRIVALS.c.number > number, ARRIVALS.c.kind.in_(kinds))
        try:
            with self._engine.connect() as connection:
                return [_arrival(row) for row in connection.execute(query.order_by(ARRIVALS.c.number))]
        except sa.exc.DatabaseError as error:
            raise UnreadableState(f"{self.path}: {error.orig}; restore it from a backup") from error

    def after(self, number: int, most: int = 10_000) -> list[Arrival]:
        """The entries after a number, in order, at most so many. Raises UnreadableState where one is missing."""
        query = sa.select(ARRIVALS).where(ARRIVALS.c.number > number).order_by(ARRIVALS.c.number).limit(most)
        try:
            with self._engine.connect() as connection:
                rows = connection.execute(query).all()
        except sa.exc.DatabaseError as error:
            raise UnreadableState(f"{self.path}: {error.orig}; restore it from a backup") from error
        found = [_arrival(row) for row in rows]
        for place, arrival in enumerate(found, number + 1):
            if arrival.number != place:
                raise UnreadableState(f"{self.path}: entry {place} is missing; restore it from a backup")
        return found


class Journal(JournalReader):
    """Arrivals of one live market; entries are added at the end and never changed."""

    is_only_read = False

    def __init__(self, path: Path) -> None:
        """Open a journal, or begin one. Raises StateError if it cannot be written, or is none."""
        make_private(path.parent)
        self.path = path
        self._engine = dialect.engine(path)
        try:
            with self._engine.begin() as connection:
                _METADATA.create_all(connection)
        except sa.exc.DatabaseError as error:
            self._engine.dispose()
            raise UnreadableState(f"{path}: {error.orig}; is it the journal of a live market?") from error
        self._take_up()
        self._writing = threading.Lock()

    def append(self, received: int, kind: ArrivalKind, bodies: Sequence[bytes]) -> None:
        """Add entries of one kind in one transaction; they are on disk when this returns.

        received: when they came [Unix s]. Raises StateError where they cannot be written; then none is.
        """
        if not bodies:
            return
        with self._written() as connection:
            last = self._put(connection, received, kind, bodies)
        self.last, self.received = last, max(self.received, received)

    def append_after_all(self, received: int, kind: ArrivalKind, body: Callable[[int], bytes]) -> None:
        """Add an entry that is made of the number of the one before it: nothing comes between."""
        with self._written() as connection:
            before = connection.scalar(sa.select(sa.func.max(ARRIVALS.c.number))) or 0
            last = self._put(connection, received, kind, [body(before)])
        self.last, self.received = last, max(self.received, received)

    def append_order(
        self, received: int, order: bytes, gate: int, seen: int
    ) -> Arrival | Literal["closed", "overtaken"]:
        """Add an order, unless its slot's gate [Unix s] is closed or another order came after entry `seen`."""
        return self.append_in_time(received, ArrivalKind.ORDER, order, gate, seen)

    def append_in_time(
        self, received: int, kind: ArrivalKind, body: bytes, gate: int, seen: int
    ) -> Arrival | Literal["closed", "overtaken"]:
        """Add an entry, unless the gate [Unix s] is closed or another entry of its kind came after entry `seen`.

        It is on disk when this returns. All is one transaction, so whoever sends it from wherever, it stands before its
        gate's entry and after all that it was checked against, or nowhere.
        """
        closed = sa.select(ARRIVALS.c.body).where(ARRIVALS.c.kind.in_((ArrivalKind.GATE, ArrivalKind.VOID)))
        newest = closed.order_by(ARRIVALS.c.number.desc()).limit(1)
        with self._written() as connection:
            before = connection.scalar(newest)
            if before is not None and int(before.split()[0]) >= gate:
                return "closed"
            of_kind = sa.select(sa.func.max(ARRIVALS.c.number)).where(ARRIVALS.c.kind == kind)
            if (connection.scalar(of_kind) or 0) > seen:
                return "overtaken"
            last = self._put(connection, received, kind, [body])
        self.last, self.received = last, max(self.received, received)
        return Arrival(last, received, kind, body)

    @contextmanager
    def _written(self) -> Iterator[sa.Connection]:
        """One transaction in which nobody else writes. Raises StateError where it cannot be; then nothing was."""
        with self._writing:
            try:
                with dialect.alone(self._engine) as connection:
                    yield connection
            except sa.exc.OperationalError as error:
                raise StateError(f"{self.path}: {error.orig}; free space or permissions; nothing is lost") from error

    def _put(self, connection: sa.Connection, received: int, kind: ArrivalKind, bodies: Sequence[bytes]) -> int:
        """Put entries at the end, wherever others have brought it; returns the number of the last one."""
        last = connection.scalar(sa.select(sa.func.max(ARRIVALS.c.number))) or 0
        rows = [
            {"number": number, "received": received, "kind": kind, "body": body}
            for number, body in enumerate(bodies, last + 1)
        ]
        connection.execute(sa.insert(ARRIVALS), rows)
        return last + len(rows)


def _arrival(row: sa.Row[Any]) -> Arrival:
    """A row as an entry."""
    return Arrival(row.number, row.received, ArrivalKind(row.kind), row.body)
