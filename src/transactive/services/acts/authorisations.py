"""What members do to their agents' authorisations: asked, signed, and put into the log that the run takes up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import filelock
import msgspec

from transactive.core.community.community import Community
from transactive.core.errors import InputError, RuleBroken, StateError
from transactive.core.proofs.members.authorisation import Authorisation, Authorised, in_force, sign
from transactive.core.slots import DAY, time_text
from transactive.engine.authorisations import read
from transactive.engine.books.rebuilt import community_of
from transactive.services.acts.asked import LIMITED, Allowing, Asked, AskUndo, Ordering, changed
from transactive.services.acts.orders import send
from transactive.services.acts.signers import Signer
from transactive.store import Store, holds_state
from transactive.store.live.acts import LoggedAct, act_with_key, acts_after, add_act, made_since, newest_authorised
from transactive.store.read.stages import last_traded

MOST_CHANGES, MOST_ORDERS = 100, 2_000
"""How often in a day a home changes what it allows, which all gates read from then on, and how often it orders."""
LOCK_FILE = "acts.lock"
"""Held while an entry is made, so that of two at once both are kept, each on top of the other."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks, when.

    account: that signed in, empty for the command line. key: tells a request that is repeated from a new one. now: by
    the clock on the wall [Unix s].
    """

    account: str = ""
    key: str = ""
    now: int = 0


@dataclass(frozen=True, slots=True)
class Allowed:
    """What members allow. given: all authorisations, taken up or not; first: slot whose gate is open next [Unix s]."""

    community: Community
    given: Sequence[Authorised]
    first: int

    def of(self, slot: int) -> list[Authorisation]:
        """What counts for a slot, in the order of the members."""
        found = in_force(self.given, slot)
        return [found[account].authorisation for account in range(len(self.community.members)) if account in found]

    def latest(self, account: int) -> Authorisation:
        """The newest of a member, which counts from the first open slot on at the earliest."""
        own = (each.authorisation for each in self.given if each.authorisation.account == account)
        return max(own, key=lambda each: each.serial)


def allowed_in(store: Store) -> Allowed:
    """What members of a run allow. Raises StateError for a run that has not begun."""
    taken = read(store)
    if not taken:
        folder = store.path.parent
        raise StateError(f"{folder}: its run has not begun; limits from its start stand in the community file")
    known = {(each.authorisation.account, each.authorisation.serial) for each in taken}
    logged = (entry.authorised for entry in acts_after(store, 0))
    waiting = (each for each in logged if (each.authorisation.account, each.authorisation.serial) not in known)
    community, latest = community_of(store), last_traded(store)
    begins = min(each.authorisation.valid_from for each in taken)
    return Allowed(community, (*taken, *waiting), latest + community.clock.length if latest else begins)


def shown(folder: Path) -> Allowed:
    """The same of a state folder. Raises StateError."""
    with _opened(folder) as store:
        return allowed_in(store)


def allow(folder: Path, member: str, asked: Allowing, signer: Signer, asker: Asker) -> Authorised:
    """`act` for what changes what a member allows; returns what was signed."""
    done = act(folder, member, asked, signer, asker)
    if done.authorised is None:
        raise RuleBroken("what a member allows was not signed; please report this with the command you ran")
    return done.authorised


def act(folder: Path, member: str, asked: Asked, signer: Signer, asker: Asker) -> LoggedAct:
    """Do what a member asks for: sign what it allows from now on and log it; the run takes it up at its next gate.

    What is allowed holds from the first slot of which nothing is traded yet, or later if the member says so; an order
    goes to the market at once. The same request with the same key is done once. If the member's agent has a key, that
    is granted the same limits. Raises InputError for an unknown member, an earlier start or a key of another request;
    StateError where nothing is traded any more.
    """
    with filelock.FileLock(folder / LOCK_FILE, mode=0o600), _opened(folder) as store:
        allowed = allowed_in(store)
        if member not in allowed.community.ids:
            raise InputError(f"member {member} is not in the community; it has {', '.join(allowed.community.ids)}")
        account, text = allowed.community.ids.index(member), msgspec.json.encode(asked).decode()
        if asker.key and (earlier := act_with_key(store, account, asker.key)):
            if earlier.asked != text:
                raise InputError("this idempotency key was used for another request; take a new one for each act")
            return earlier
        _require_open(store, account, isinstance(asked, Ordering), asker.now)
        entry = LoggedAct(
            member=account, made=asker.now, begins=allowed.first, asked=text, by=asker.account, key=asker.key
        )
        if isinstance(asked, Ordering):
            entry = replace(entry, order=send(store, asked, allowed.given, account, signer))
        else:
            undone = asked.number if isinstance(asked, AskUndo) else 0
            authorised = _signed(_fresh(store, allowed, account, asked), signer)
            entry = replace(entry, authorised=authorised, undoes=undone)
        return replace(entry, number=add_act(store, entry))


def _require_open(store: Store, account: int, is_order: bool, now: int) -> None:
    """Require that the run goes on, and that a member leaves room in its log for others. Raises StateError."""
    if store.setting("outcome") is not None:
        raise StateError(f"{store.path.parent}: this run is finished, nothing is traded in it any more; begin another")
    most = MOST_ORDERS if is_order else MOST_CHANGES
    if now and made_since(store, account, now - DAY, ordered=is_order) >= most:
        raise StateError(f"a home can do this {most} times a day, and has; wait until tomorrow")


def taken_back(store: Store, allowed: Allowed, number: int, account: int) -> dict[str, int]:
    """What a member's newest act changed, as it was before; what changed otherwise since, such as the end, stays.

    Raises InputError where the number is of another act.
    """
    newest = newest_authorised(store, account, 1)
    if not newest or newest[0].number != number or newest[0].authorised is None:
        raise InputError(f"act {number} is not the newest of what the member allowed; only that can be undone")
    made = newest[0].authorised.authorisation
    own = (each.authorisation for each in allowed.given if each.authorisation.account == account)
    before = max((each for each in own if each.serial < made.serial), key=lambda each: each.serial)
    return {name: getattr(before, name) for name in LIMITED if getattr(before, name) != getattr(made, name)}


def _fresh(store: Store, allowed: Allowed, account: int, asked: Allowing) -> Authorisation:
    """What a member allows from now on. Raises InputError."""
    latest = allowed.latest(account)
    upon = msgspec.structs.replace(latest, serial=latest.serial + 1, valid_from=allowed.first)
    if isinstance(asked, AskUndo):
        return msgspec.structs.replace(upon, **taken_back(store, allowed, asked.number, account))
    longest = max(each.authorisation.valid_until for each in allowed.given)
    fresh = changed(upon, asked, longest)
    if fresh.valid_from < allowed.first:
        raise InputError(
            f"{time_text(fresh.valid_from)} is too early: orders of slots before {time_text(allowed.first)} are"
            " accepted already; give that or later"
        )
    return fresh


def _signed(given: Authorisation, signer: Signer) -> Authorised:
    """Signed with the member's key; its agent's gets a grant of the same limits, unless all is taken back."""
    agent = signer.keys.agent(given.account) if given.valid_until else None
    key = bytes(signer.keys.account(given.account).key)
    return sign(given, key, signer.place_here(given.account), str(agent.address) if agent else None)


@contextmanager
def _opened(folder: Path) -> Iterator[Store]:
    """The store of a run."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    with closing(Store(folder)) as store:
        yield store
