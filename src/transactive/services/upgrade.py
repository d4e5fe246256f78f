"""Move a run from contracts of an older version to those of this one, over or in the middle of it.

A run in the middle ends with the period that is open, on the old contracts: what was traded was signed for them. Then
its accounts move, and the run goes on in the new ones. Each step is one that a run takes, so that an interrupted
upgrade goes on with the same command, or with the next `run`.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.config.setting import Setting
from transactive.core.community.membership import ALWAYS, Roster
from transactive.core.errors import InputError, StateError
from transactive.core.slots import parse_time
from transactive.engine.accounts.contracts import deployment_at
from transactive.engine.chain_location import IN_FOLDER, ChainLocation, open_chain
from transactive.engine.live.boxes.own_accounts import with_own_accounts
from transactive.engine.replay import replay
from transactive.store import Store
from transactive.store.database import ROSTERS
from transactive.store.folder import hold
from transactive.store.live.journal import JOURNAL_FILE, JournalReader
from transactive.store.read.stages import last_traded

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Upgraded:
    """What an upgrade of a run did. since: first slot in the new contracts [Unix s]; moved_n: what accounts have [n¤].

    before, after: contracts. is_over: whether the run has no slots left.
    """

    since: int
    before: Deployment
    after: Deployment
    moved_n: tuple[int, ...]
    is_over: bool


def upgrade_run(setting: Setting, folder: Path, target: ChainLocation = IN_FOLDER) -> Upgraded:
    """Move the run in a folder to this version's contracts. Raises InputError, StateError, ChainError.

    target: the chain of a run on a node elsewhere, with the keys of all accounts.
    """
    with hold(folder), closing(Store(folder)) as store:
        known, seed = json.loads(store.setting("run") or "{}"), _require_older(store, setting, folder, target)
        first, length = parse_time(known["first slot"]), setting.community.clock.length
        slots = range(first, first + known["slots"] * length, length)
        if not _is_moving(store):
            slots = _until_nothing_is_open(store, setting, slots)
            if len(slots) < known["slots"]:
                store.set(run=json.dumps(known | {"slots": len(slots)}, sort_keys=True))
    replay(setting, slots, folder, seed=seed, target=target)
    with hold(folder), closing(Store(folder)) as store:
        if not _is_moving(store):
            members = len(setting.community.members)
            begun = store.rosters or (Roster(ALWAYS, members, store.setting("settlement") or ""),)
            store.set(**{ROSTERS: msgspec.json.encode([*begun, Roster(slots.stop, members)]).decode()})
        with open_chain(target, setting, slots[0], folder, store, seed):
            before, after = (deployment_at(store, slot) for slot in (slots[-1], slots.stop))
            moved = store.rosters[-1].opening_n
    return Upgraded(slots.stop, before, after, moved, slots.stop >= setting.measured_end)


def _is_moving(store: Store) -> bool:
    """Whether an interrupted upgrade has brought the run to its end, and no further."""
    return bool(store.rosters) and not store.rosters[-1].settlement


def _require_older(store: Store, setting: Setting, folder: Path, target: ChainLocation) -> str:
    """Require a run on contracts of an older version whose accounts can move; its seed. Raises InputError, StateError.

    Nothing is changed.
    """
    from transactive.chain.deployments.deployment import is_todays
    from transactive.chain.keys.keys import HeldElsewhere

    facts, journal = json.loads(store.setting("run") or "{}"), folder / JOURNAL_FILE
    if journal.exists() and store.setting("outcome") is None:
        raise StateError(f"{folder}: its market is live; let its session come to its end, and upgrade then")
    if store.snapshot() is None:
        raise StateError(f"{folder}: its run has not settled a slot; a new one begins with contracts of this version")
    seed = str(facts["seed"])
    if journal.exists():
        with closing(JournalReader(journal)) as told:
            target = with_own_accounts(target, told, seed)
    with open_chain(target, setting, parse_time(facts["first slot"]), folder, store, seed, moves=False) as opened:
        if is_todays("settlement", opened.client.code(opened.ledger.address)):
            raise InputError("the contracts are of this version already; there is nothing to upgrade")
        accounts = range(setting.community.chart.on_chain)
        if any(isinstance(opened.keys.account(index), HeldElsewhere) for index in accounts):
            raise StateError(f"{folder}: keys of members are not here, and only with them their accounts can move")
    return seed


def _until_nothing_is_open(store: Store, setting: Setting, slots: range) -> range:
    """Slots of a run up to the end of the period in which all that was traded ends; all of a run that is over."""
    clock = setting.community.clock
    if store.setting("outcome") is not None:
        return slots
    seconds = clock.slots_per_period * clock.length
    return slots[: ((last_traded(store) // seconds + 1) * seconds - slots[0]) // clock.length]
