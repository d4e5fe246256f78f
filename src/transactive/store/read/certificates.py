"""Certificates: what a run issued and traded apart from energy, and the log of what people did with them since."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from transactive.carbon.certificates.register import Entry
from transactive.core.certificates import CertificateState
from transactive.core.postings import PostingKind
from transactive.store.database import Database
from transactive.store.schema import CERTIFICATE_LOG, CERTIFICATE_ORDERS, CERTIFICATES, FOOTPRINTS, POSTINGS


class LoggedStep(NamedTuple):
    """A step in a slot [Unix s], and the digest of the slot's register after it."""

    slot: int
    entry: Entry
    digest: str


def read_steps(store: Database, slot: int) -> list[LoggedStep]:
    """Steps of a slot, in order. Raises StateError if they were altered."""
    store.require_sealed(CERTIFICATE_LOG, slot)
    c = CERTIFICATE_LOG.c
    rows = store.rows(sa.select(c.entry, c.digest).where(c.slot == slot).order_by(c.number))
    return [LoggedStep(slot, msgspec.json.decode(row["entry"], type=Entry), row["digest"]) for row in rows]


def head(store: Database) -> tuple[int, int]:
    """Number of steps so far, and the time of the last one [Unix s], 0 without any."""
    last = store.rows(sa.select(CERTIFICATE_LOG).order_by(CERTIFICATE_LOG.c.number.desc()).limit(1))
    return (last[0]["number"] + 1, msgspec.json.decode(last[0]["entry"], type=Entry).at) if last else (0, 0)


def newest_slot(store: Database) -> int | None:
    """Newest slot that was delivered, None before the first."""
    slot: int | None = store.rows(sa.select(sa.func.max(FOOTPRINTS.c.slot).label("slot")))[0]["slot"]
    return slot


def slots(store: Database, *, only_open: bool) -> list[int]:
    """Delivered slots in order; only_open: those that may have a bundle that somebody can use."""
    held = sa.select(CERTIFICATES.c.slot).where(CERTIFICATES.c.state == CertificateState.HELD)
    usable = held.union(sa.select(CERTIFICATE_LOG.c.slot))
    return sorted(int(row["slot"]) for row in store.rows(usable if only_open else sa.select(FOOTPRINTS.c.slot)))


def orders(store: Database, slot: int) -> list[Mapping[str, Any]]:
    """Orders of a slot for certificates apart from energy, in the order in which they were made."""
    o = CERTIFICATE_ORDERS.c
    return store.rows(sa.select(CERTIFICATE_ORDERS).where(o.slot == slot).order_by(o.row))


def by_state(store: Database, members: int, member: int | None) -> list[Mapping[str, Any]]:
    """Issued Wh and mg by state and whether a member owns them (`kept`), of all devices or of one member's."""
    c = CERTIFICATES.c
    kept = (c.owner < members).label("kept")
    issued = sa.select(c.state, kept, sa.func.sum(c.energy_wh).label("wh"), sa.func.sum(c.market_mg).label("mg"))
    if member is not None:
        issued = issued.where(c.device // 2 == member)
    return store.rows(issued.group_by(c.state, kept))


def traded_unbundled(store: Database, seller: int | None = None, buyer: int | None = None) -> tuple[int, int]:
    """Certificates traded apart from energy [Wh] and their money [n¤], of all or of one seller or buyer."""
    p = POSTINGS.c
    traded = sa.select(sa.func.sum(p.energy_wh).label("wh"), sa.func.sum(p.amount_n).label("n"))
    traded = traded.where(p.kind == PostingKind.CERTIFICATES)
    for side, party in ((p.payee, seller), (p.payer, buyer)):
        if party is not None:
            traded = traded.where(side == party)
    row = store.rows(traded)[0]
    return row["wh"] or 0, row["n"] or 0
