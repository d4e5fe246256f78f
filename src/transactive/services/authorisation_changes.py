"""What a member changes in its agent's authorisation: a new one, signed, offered to the run, from an open gate on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import filelock
import msgspec

from transactive.core.community.community import Community
from transactive.core.errors import InputError, StateError
from transactive.core.proofs.authorisation import Authorisation, Authorised, in_force, sign
from transactive.core.slots import time_text
from transactive.engine.authorisations import OFFERS, offered, read
from transactive.engine.books.rebuilt import community_of
from transactive.store import FILE, Store
from transactive.store.read.stages import last_traded

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys

Change = Callable[[Authorisation], Authorisation]
LOCK_FILE = "offers.lock"
"""Held while an offer is written, so that two at once are both kept."""


def shown(folder: Path) -> tuple[Community, tuple[Authorised, ...], int]:
    """Community, authorisations and the first slot whose gate is open [Unix s] of a state. Raises StateError."""
    with closing(_opened(folder)) as store:
        community = community_of(store)
        return community, _all(store), _first_open(store, community)


def renew(folder: Path, member: str, change: Change, keys: Keys, separator: bytes) -> Authorised:
    """Offer the run what `change` makes of what a member allows, signed with its key; it is taken up at the next gate.

    The new one holds from the first slot of which nothing is traded yet, or later if `change` says so. If the agent has
    a key among `keys`, that is granted the same limits. Raises InputError for an unknown member or an earlier start,
    StateError for a state without a run or with a finished one.
    """
    with filelock.FileLock(folder / LOCK_FILE, mode=0o600), closing(_opened(folder)) as store:
        if store.setting("outcome") is not None:
            raise StateError(f"{folder}: this run is finished, nothing is traded in it any more; begin another")
        community = community_of(store)
        if member not in community.ids:
            raise InputError(f"--member {member} is not in the community; it has {', '.join(community.ids)}")
        account, given, first = community.ids.index(member), _all(store), _first_open(store, community)
        latest = max((g.authorisation for g in given if g.authorisation.account == account), key=lambda a: a.serial)
        fresh = change(msgspec.structs.replace(latest, serial=latest.serial + 1, valid_from=first))
        if fresh.valid_from < first:
            raise InputError(
                f"{time_text(fresh.valid_from)} is too early: orders of slots before {time_text(first)} are accepted"
                " already; give that or later"
            )
        agent = keys.agent(account) if fresh.valid_until else None
        signed = sign(fresh, bytes(keys.account(account).key), separator, str(agent.address) if agent else None)
        store.set(**{OFFERS: msgspec.json.encode((*offered(store), signed)).decode()})
        return signed


def _all(store: Store) -> tuple[Authorised, ...]:
    """What the run counts with, and what it has not taken up yet."""
    given = read(store)
    known = {(each.authorisation.account, each.authorisation.serial) for each in given}
    waiting = (o for o in offered(store) if (o.authorisation.account, o.authorisation.serial) not in known)
    return (*given, *waiting)


def seed_of(folder: Path) -> str:
    """Seed of the demo keys of a run."""
    with closing(_opened(folder)) as store:
        return str(msgspec.json.decode(store.setting("run") or "{}").get("seed", "transactive"))


def standing(community: Community, given: tuple[Authorised, ...], slot: int) -> list[Authorisation]:
    """What counts for a slot, in the order of the members."""
    found = in_force(given, slot)
    return [found[account].authorisation for account in range(len(community.members)) if account in found]


def _opened(folder: Path) -> Store:
    """The store of a run that has begun."""
    if not (folder / FILE).exists():
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    store = Store(folder)
    if not read(store):
        store.close()
        raise StateError(f"{folder}: its run has not begun; limits from its start stand in the community file")
    return store


def _first_open(store: Store, community: Community) -> int:
    """First slot of which nothing is traded yet [Unix s]."""
    latest = last_traded(store)
    return latest + community.clock.length if latest else min(each.authorisation.valid_from for each in read(store))
