"""Issued papers, payments and reminders of a state folder: a database of its own, beside that of the run.

Papers are numbered from 1 without a gap and never change: each has a digest over what it says, its document's and the
digest of the paper before it. A document, which alone names a person, can be erased once its time is over; its digest
stays. Everything that one command issues is one transaction, so that no number is lost, or given twice, by a kill. How
many there are, and the last digest, stand in a file beside it: an older copy of the database would give numbers again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import sqlalchemy as sa

from transactive.core.errors import StateError, UnreadableState
from transactive.store.databases import dialect
from transactive.store.folder import make_private, write_private

FILE, HEAD_FILE = "bills.sqlite", "papers.json"
VERSION = 1
METADATA = sa.MetaData()
PAPERS = sa.Table(
    "papers",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("number", sa.Text, nullable=False, unique=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("document_sha256", sa.LargeBinary, nullable=False),
    sa.Column("digest", sa.LargeBinary, nullable=False),
)
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("document", sa.LargeBinary, nullable=False),
)
PAYMENTS = sa.Table(
    "payments",
    METADATA,
    sa.Column("reference", sa.Text, primary_key=True),
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("booked", sa.Text, nullable=False),
    sa.Column("paid_cents", sa.Integer, nullable=False),
)
REMINDERS = sa.Table(
    "reminders",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("issued", sa.Text, nullable=False),
)
INSTRUCTED = sa.Table(
    "instructed",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("told_cents", sa.Integer, nullable=False),
)
_GUARDS = tuple(
    f"create trigger if not exists papers_{act} before {act} on papers begin"
    " select raise(abort, 'an issued paper never changes'); end"
    for act in ("update", "delete")
)


@dataclass(frozen=True, slots=True)
class IssuedPaper:
    """A paper as it is kept. content: what it says, without a person's data. digest: over it and all before it."""

    sequence: int
    number: str
    content: bytes
    document_sha256: bytes
    digest: bytes


class PapersHead(msgspec.Struct, frozen=True):
    """What was issued last. digest: as hexadecimal digits."""

    papers: int
    digest: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment of a paper. reference: the bank's own, so that it counts once. paid_cents: below zero, paid out."""

    reference: str
    sequence: int
    booked: str
    paid_cents: int


class BillBooks:
    """The papers of one state folder."""

    def __init__(self, folder: Path) -> None:
        """Open the papers, making their database if needed. Raises StateError for a newer or an unreadable one."""
        make_private(folder)
        self.path = folder / FILE
        self._engine = dialect.engine(self.path)
        with self._state_errors(), dialect.alone(self._engine) as connection:
            found = connection.exec_driver_sql("pragma user_version").scalar() or 0
            if found > VERSION:
                raise StateError(f"{self.path}: is of version {found}, newer than this program; use that one")
            if not found:
                METADATA.create_all(connection)
                for guard in _GUARDS:
                    connection.exec_driver_sql(guard)
                connection.exec_driver_sql(f"pragma user_version = {VERSION}")

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def wipe_free_pages(self) -> None:
        """Leave nothing of erased documents in the file."""
        with self._state_errors(), self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            dialect.wipe(connection)

    @contextmanager
    def issuing(self) -> Iterator[BillSession]:
        """One transaction in which nobody else issues; all of it is kept, or nothing."""
        with self._state_errors(), dialect.alone(self._engine) as connection:
            yield BillSession(connection, self.path)
        if issued := self.papers():
            head = PapersHead(len(issued), issued[-1].digest.hex())
            write_private(self.path.with_name(HEAD_FILE), msgspec.json.encode(head) + b"\n")

    def papers(self) -> list[IssuedPaper]:
        """All papers in the order of their numbers. Raises StateError if one is not as it was issued."""
        with self._state_errors(), self._engine.connect() as connection:
            return BillSession(connection, self.path).papers()

    def document(self, sequence: int) -> bytes | None:
        """Document of a paper, as it was issued; None once it is erased. Raises StateError if it is another."""
        with self._state_errors(), self._engine.connect() as connection:
            found = connection.scalar(sa.select(DOCUMENTS.c.document).where(DOCUMENTS.c.sequence == sequence))
            sha256 = connection.scalar(sa.select(PAPERS.c.document_sha256).where(PAPERS.c.sequence == sequence))
        if found is not None and hashlib.sha256(found).digest() != sha256:
            raise UnreadableState(f"{self.path}: document {sequence} is not as it was issued; restore a backup")
        return found

    def payments(self) -> list[Payment]:
        """All payments, by date."""
        with self._state_errors(), self._engine.connect() as connection:
            rows = connection.execute(sa.select(PAYMENTS).order_by(PAYMENTS.c.booked, PAYMENTS.c.reference))
            return [Payment(*row) for row in rows]

    def reminders(self) -> dict[int, str]:
        """Day of the reminder of each paper that had one."""
        with self._state_errors(), self._engine.connect() as connection:
            return {row.sequence: row.issued for row in connection.execute(sa.select(REMINDERS))}

    def instructed(self) -> dict[int, int]:
        """What the bank was told to pay or collect of each paper, in all [hundredths]."""
        with self._state_errors(), self._engine.connect() as connection:
            return {row.sequence: row.told_cents for row in connection.execute(sa.select(INSTRUCTED))}

    @contextmanager
    def _state_errors(self) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            raise StateError(
                f"{self.path}: {error.orig}; free space or permissions, then run the same again"
            ) from error
        except sa.exc.DatabaseError as error:
            raise UnreadableState(f"{self.path}: {error.orig}; restore a backup") from error


class BillSession:
    """What can be done to the papers within one transaction."""

    def __init__(self, connection: sa.Connection, path: Path) -> None:
        self._connection, self._path = connection, path

    def papers(self) -> list[IssuedPaper]:
        """All papers in the order of their numbers. Raises UnreadableState if one is not as it was issued."""
        found = [IssuedPaper(*row) for row in self._connection.execute(sa.select(PAPERS).order_by(PAPERS.c.sequence))]
        before = b""
        for place, paper in enumerate(found, start=1):
            whole = type(paper.content) is bytes and paper.sequence == place
            if not whole or paper.digest != _digest(before, paper.content, paper.document_sha256):
                raise UnreadableState(f"{self._path}: paper {place} is not as it was issued; restore a backup")
            before = paper.digest
        self._require_head(found)
        return found

    def _require_head(self, found: list[IssuedPaper]) -> None:
        """Require that all papers are there that were issued. Raises UnreadableState."""
        try:
            head = msgspec.json.decode(self._path.with_name(HEAD_FILE).read_bytes(), type=PapersHead)
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError) as error:
            raise UnreadableState(f"{self._path.with_name(HEAD_FILE)}: {error}; restore a backup") from None
        if head.papers and (len(found) < head.papers or found[head.papers - 1].digest.hex() != head.digest):
            raise UnreadableState(
                f"{self._path}: has {len(found)} papers, not those {head.papers} that were issued, whose numbers would"
                f" be given again; put the newer file back, or restore a backup; delete {HEAD_FILE} if they never left"
            )

    def issue(self, number: str, content: bytes, document: bytes, before: bytes, sequence: int) -> bytes:
        """Keep a paper with its document. before: digest of the paper before it. Returns the new digest."""
        sha256 = hashlib.sha256(document).digest()
        digest = _digest(before, content, sha256)
        row = {"sequence": sequence, "number": number, "content": content, "document_sha256": sha256, "digest": digest}
        self._connection.execute(sa.insert(PAPERS).values(row))
        self._connection.execute(sa.insert(DOCUMENTS).values(sequence=sequence, document=document))
        return digest

    def pay(self, payments: list[Payment]) -> int:
        """Keep payments that are not there yet; returns how many were new."""
        known = set(self._connection.execute(sa.select(PAYMENTS.c.reference)).scalars())
        fresh = [payment for payment in payments if payment.reference not in known]
        for payment in fresh:
            row = {name: getattr(payment, name) for name in Payment.__slots__}
            self._connection.execute(sa.insert(PAYMENTS).values(row))
        return len(fresh)

    def remind(self, sequences: list[int], day: str) -> None:
        """Note a reminder of papers. An IntegrityError within would mean a second one, which nobody gets."""
        for sequence in sequences:
            self._connection.execute(sa.insert(REMINDERS).values(sequence=sequence, issued=day))

    def instruct(self, told_cents: dict[int, int]) -> None:
        """Note what the bank is told to pay or collect of papers, in all [hundredths]."""
        rows = [{"sequence": sequence, "told_cents": cents} for sequence, cents in told_cents.items()]
        dialect.upsert(self._connection, INSTRUCTED, rows)

    def erase_documents(self, sequences: list[int]) -> None:
        """Erase documents of papers; what the papers say without a person's data stays."""
        self._connection.execute(sa.delete(DOCUMENTS).where(DOCUMENTS.c.sequence.in_(sequences)))


def _digest(before: bytes, content: bytes, document_sha256: bytes) -> bytes:
    return hashlib.sha256(before + hashlib.sha256(content).digest() + document_sha256).digest()
