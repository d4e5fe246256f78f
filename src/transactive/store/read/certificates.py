"""Certificates: what a run issued and traded apart from energy, and the log of what people did with them since."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

import msgspec
import numpy as np
import sqlalchemy as sa

from transactive.carbon.certificates.entries import Entry
from transactive.core.certificates import CertificateState
from transactive.core.errors import StateError
from transactive.core.postings import PostingKind
from transactive.store.database import Database
from transactive.store.read.slot_columns import each_slot, has
from transactive.store.schema import CERTIFICATE_LOG, CERTIFICATE_ORDERS, CERTIFICATES, FOOTPRINTS, POSTINGS

REGISTER = "register"
"""Setting: what names the register of a folder, fixed when the run began; folders of before have none."""
AHEAD = "receipt ahead"
"""Setting: which receipt showed that this folder is a copy whose register went on elsewhere; most have none."""


def require_not_behind(store: Database) -> None:
    """Raise StateError if a receipt has shown that the register went on elsewhere: this copy issues nothing more."""
    if ahead := store.setting(AHEAD):
        raise StateError(
            f"{store.path.parent}: {ahead}; a copy that lacks what was issued may issue nothing: go on with the folder"
            " that knows it, or `transactive state restore` a newer backup"
        )


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


def asked_for(store: Database) -> list[LoggedStep]:
    """Steps that somebody asked for under a name of its own, in order."""
    c = CERTIFICATE_LOG.c
    rows = store.rows(sa.select(c.slot, c.entry, c.digest).where(c.entry.contains('"action":"')).order_by(c.number))
    return [LoggedStep(row["slot"], msgspec.json.decode(row["entry"], type=Entry), row["digest"]) for row in rows]


def newest_slot(store: Database) -> int | None:
    """Newest slot that was delivered, None before the first."""
    slot: int | None = store.rows(sa.select(sa.func.max(FOOTPRINTS.c.slot).label("slot")))[0]["slot"]
    return slot


def slots(store: Database, *, only_open: bool) -> list[int]:
    """Delivered slots in order; only_open: those that may have a bundle that somebody can use."""
    held = sa.select(CERTIFICATES.c.slot).where(has(CERTIFICATES.c.states, CertificateState.HELD))
    usable = held.union(sa.select(CERTIFICATE_LOG.c.slot))
    return sorted(int(row["slot"]) for row in store.rows(usable if only_open else sa.select(FOOTPRINTS.c.slot)))


def orders(store: Database, slot: int) -> list[Mapping[str, Any]]:
    """Orders of a slot for certificates apart from energy, in the order in which they were made."""
    o = CERTIFICATE_ORDERS.c
    return store.rows(sa.select(CERTIFICATE_ORDERS).where(o.slot == slot).order_by(o.row))


def by_state(store: Database, members: int, member: int | None) -> list[Mapping[str, Any]]:
    """Issued Wh and mg by state and whether a member owns them (`kept`), of all devices or of one member's."""
    found: dict[tuple[int, bool], tuple[int, int]] = {}
    for _, columns in each_slot(store, CERTIFICATES, names=("device", "owner", "state", "energy_wh", "market_mg")):
        mine = np.ones(len(columns["device"]), np.bool_) if member is None else columns["device"] // 2 == member
        kept = columns["owner"] < members
        for state, own in product(np.unique(columns["state"][mine]).tolist(), (False, True)):
            rows = mine & (columns["state"] == state) & (kept == own)
            if rows.any():
                wh, mg = found.get((state, own), (0, 0))
                sums = (int(columns[name][rows].sum()) for name in ("energy_wh", "market_mg"))
                found[state, own] = wh + next(sums), mg + next(sums)
    return [{"state": state, "kept": own, "wh": wh, "mg": mg} for (state, own), (wh, mg) in sorted(found.items())]


def traded_unbundled(store: Database, seller: int | None = None, buyer: int | None = None) -> tuple[int, int]:
    """Certificates traded apart from energy [Wh] and their money [n¤], of all or of one seller or buyer."""
    wh, paid, kind = 0, 0, PostingKind.CERTIFICATES
    for _, columns in each_slot(store, POSTINGS, has(POSTINGS.c.kinds, kind)):
        rows = columns["kind"] == kind
        for side, party in (("payee", seller), ("payer", buyer)):
            if party is not None:
                rows &= columns[side] == party
        wh += int(columns["energy_wh"][rows].sum())
        paid += int(columns["amount_n"][rows].sum())
    return wh, paid
