"""The log of what members did while their run went on: who, when, what was asked, and what was signed for it.

Entries are added at the end and never changed. A run takes them up at its gates, in their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from transactive.core.proofs.members.authorisation import Authorised
from transactive.core.proofs.members.member_acts import HandOrder, MemberAct
from transactive.store.database import Database
from transactive.store.schema import ACTS
from transactive.store.sealing import seal

ORDERED = ("order", "cancel")
"""Kinds of requests that send an order."""
AFTER = sa.select(ACTS).where(ACTS.c.number > sa.bindparam("number")).order_by(ACTS.c.number)
"""Made once: a run asks at each gate, and to make it takes longer than to execute it."""
IS_AUTHORISED = ACTS.c.record.startswith('{"authorisation"')


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedAct:
    """An entry. member: index. made: by the clock on the wall [Unix s], 0 where it was not noted.

    begins: first slot whose gate was open then [Unix s]. undoes: number of the entry that it takes back, 0 for none.
    by: account of who asked, empty for the command line. key: that tells a repeated request from a new one. asked: the
    request in canonical JSON. authorised: what was signed for it; order: what was sent to the market, in its place.
    """

    member: int
    made: int
    begins: int
    asked: str
    authorised: Authorised | None = None
    order: HandOrder | None = None
    by: str = ""
    key: str = ""
    undoes: int = 0
    number: int = 0


def add_act(store: Database, entry: LoggedAct) -> int:
    """Add an entry at the end of the log, on disk when this returns; returns its number."""
    with store.transaction() as connection:
        number = (connection.scalar(sa.select(sa.func.max(ACTS.c.number))) or 0) + 1
        told = {name: getattr(entry, name) for name in ("member", "made", "begins", "undoes", "by", "key", "asked")}
        record = msgspec.json.encode(entry.authorised or entry.order).decode()
        connection.execute(sa.insert(ACTS), [{**told, "number": number, "record": record}])
        seal(connection, ACTS)
    return number


def acts_after(store: Database, number: int) -> list[MemberAct]:
    """What a run takes up of the entries after a number, in order: what was authorised; orders go to the market."""
    rows = store.rows(AFTER, number=number)
    entries = [act_of(row) for row in rows]
    return [MemberAct(entry.number, entry.authorised) for entry in entries if entry.authorised is not None]


def newest_acts(store: Database, member: int, most: int = 100) -> list[LoggedAct]:
    """The newest entries of a member, newest first, at most so many."""
    return _newest(store, member, most, sa.true())


def newest_authorised(store: Database, member: int, most: int) -> list[LoggedAct]:
    """The same of what a member allowed alone, however much it ordered since."""
    return _newest(store, member, most, IS_AUTHORISED)


def made_since(store: Database, member: int, since: int, *, ordered: bool) -> int:
    """How many orders of a member were logged after a time [Unix s], or how many acts of other kinds."""
    kind = sa.not_(IS_AUTHORISED) if ordered else IS_AUTHORISED
    counted = sa.select(sa.func.count().label("acts")).where(ACTS.c.member == member, ACTS.c.made > since, kind)
    return int(store.rows(counted)[0]["acts"])


def blank_askers(store: Database, member: int, accounts: Sequence[str]) -> int:
    """Blank who had signed in for a member's acts, and some accounts in all; signatures stay. Returns how many."""
    with store.transaction() as connection:
        mine = (ACTS.c.member == member) | ACTS.c.by.in_(accounts)
        changed = connection.execute(sa.update(ACTS).where(mine, ACTS.c.by != "").values(by=""))
        seal(connection, ACTS)
    return changed.rowcount


def _newest(store: Database, member: int, most: int, which: sa.ColumnElement[bool]) -> list[LoggedAct]:
    """The newest entries of some kind."""
    wanted = sa.select(ACTS).where(ACTS.c.member == member, which).order_by(ACTS.c.number.desc()).limit(most)
    return [act_of(row) for row in store.rows(wanted)]


def act_with_key(store: Database, member: int, key: str) -> LoggedAct | None:
    """The entry that a member's request with a key made, or None."""
    rows = store.rows(sa.select(ACTS).where(ACTS.c.member == member, ACTS.c.key == key))
    return act_of(rows[0]) if rows else None


def act_of(row: Any) -> LoggedAct:  # noqa: ANN401 - a row as a mapping
    """An entry from its row."""
    told = {name: value for name, value in row.items() if name != "record"}
    if msgspec.json.decode(row["asked"]).get("kind") in ORDERED:
        return LoggedAct(**told, order=msgspec.json.decode(row["record"], type=HandOrder))
    return LoggedAct(**told, authorised=msgspec.json.decode(row["record"], type=Authorised))
