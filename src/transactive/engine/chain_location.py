"""Where a run settles: on the chain in its state folder, or on a node elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED, shown
from transactive.config.setting import Setting
from transactive.core.errors import ConfigError, StateError
from transactive.core.slots import time_text
from transactive.engine.accounts.chain_standing import FolderChain
from transactive.engine.accounts.contracts import keep_current, note_certificates
from transactive.engine.accounts.moving import Moving, accounts_of
from transactive.engine.accounts.steps_again import OPENING
from transactive.engine.books.commitments import RESTORE
from transactive.engine.state_folder import moved
from transactive.store import Store
from transactive.store.read.stages import last_delivered

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.keys.keys import Keys
    from transactive.chain.ledgers.community_chain import CommunityChain
    from transactive.chain.ledgers.groups.ledger import GroupedLedger
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient
    from transactive.insight.summary import Summary

OUTBOX_FILE = "outbox.sqlite"


@dataclass(frozen=True, slots=True)
class ChainLocation:
    """Chain of a run. url: a node elsewhere, None for the chain in the state folder.

    deployment: file of contracts that are there already; without one they are deployed. keys: None for the demo keys of
    the run's seed, which only embedded and development chains accept. token: address of an ERC-20 to settle in, None
    for a currency of the run's own. discard: delete a chain in the state folder that
    has committed slots, if the database has none of them.
    """

    url: str | None = None
    deployment: Path | None = None
    keys: Keys | None = None
    token: str | None = None
    discard: bool = False

    @property
    def name(self) -> str | None:
        """Node without its secrets, None for the chain in the state folder."""
        return None if self.url is None else shown(self.url)


IN_FOLDER = ChainLocation()


@dataclass(frozen=True, slots=True)
class Opened:
    """A chain that is ready for a run."""

    client: ChainClient
    ledger: CommunityChain
    keys: Keys
    url: str


@contextmanager
def open_chain(
    target: ChainLocation,
    setting: Setting,
    first_slot: int,
    folder: Path,
    store: Store,
    seed: str,
    *,
    moves: bool = True,
) -> Iterator[Opened]:
    """Open the chain of a run, new or as an interrupted run left it. Raises ChainError, InputError.

    moves: to new contracts, if accounts are about to; else where they are is opened.
    """
    from transactive.chain.deployments.deployment import FILE, attach, deploy, describe
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.nodes.client import ChainClient

    keys = target.keys or DemoKeys(seed)
    opening = setting.community.clock.gate(first_slot) - OPENING
    address = store.setting("settlement")
    if target.url is None:
        place = FolderChain(folder / CHAIN_FILE, store, accounts_of(store, setting.community), keys, first_slot)
        if store.snapshot():
            place.bring_level()
        else:
            address = None  # nothing was delivered yet: what there is of a chain is made anew, block by block the same
            _make_room(place.path, discard=target.discard)
        made, url = place.open(place.path), f"{EMBEDDED}{place.path}"
    else:
        url, accounts = target.url, keys.addresses(setting.community.chart.on_chain)
        made = ChainClient.open(url, genesis_time=opening - 1, alloc=accounts, outbox=folder / OUTBOX_FILE)
    with closing(made) as client:
        _recognise(target, client, store)
        if address is None and target.deployment:
            found = _deployed(target.deployment, client, setting)
            address = found.address("settlement")
            found.save(folder / FILE)
        if address is None:
            ledger = deploy(client, keys, setting.community, opening, currency=target.token)
            describe(client, ledger, setting.community).save(folder / FILE)
        else:
            ledger = attach(client, keys, accounts_of(store, setting.community), address)
            if target.token and target.token.lower() != ledger.currency_address.lower():
                raise StateError(
                    f"{folder}: settles in token {ledger.currency_address}, not {target.token}; use the same again or"
                    " another --state folder"
                )
        store.set(settlement=ledger.address)
        _require_not_ahead(ledger, store, setting)
        if moves and store.rosters and not store.rosters[-1].settlement:
            ledger = _move_to_new_contracts(client, store, setting, first_slot, ledger)
        yield Opened(client, ledger, keys, target.name or url)


def _move_to_new_contracts(
    client: ChainClient, store: Store, setting: Setting, first_slot: int, ledger: ChainLedger | GroupedLedger
) -> ChainLedger | GroupedLedger:
    """Ledger on new contracts, with accounts of all members."""
    from transactive.chain.deployments.deployment import deploy, describe

    folder, first = store.path.parent, setting.community.clock.number(store.rosters[-1].since)

    def described(made: ChainLedger | GroupedLedger) -> None:
        """Keep where the contracts are, and where those of before are."""
        keep_current(folder, describe(client, made, setting.community), store.rosters)

    def deployed(currency: str) -> ChainLedger | GroupedLedger:
        """Contracts for all, queued."""
        return deploy(client, ledger.keys, setting.community, None, currency=currency, first_slot=first)

    note_certificates(store)
    moving = Moving(client, store, setting.community, first_slot, deployed, described)
    return moving.to_new_contracts(ledger)


def _recognise(target: ChainLocation, client: ChainClient, store: Store) -> None:
    """Require that a node elsewhere is on the chain on which the run settled so far, at whichever URL it was.

    Raises ChainError for another chain.
    """
    from transactive.chain import trouble
    from transactive.chain.deployments.deployment import is_ours

    if target.name is None:
        return
    before = json.loads(store.setting("run") or "{}").get("node") or target.name
    kept, address, identity = store.setting("chain"), store.setting("settlement"), client.identity
    if address is not None and before != target.name:
        if kept not in (None, identity) or not is_ours("settlement", client.code(address)):
            raise trouble.not_the_same_chain(target.name, before)
        trouble.found_elsewhere(target.name, before)
    if before != target.name:
        moved(store, target.name)
    store.set(chain=identity)


def require_end(
    target: ChainLocation, setting: Setting, first_slot: int, folder: Path, store: Store, seed: str, summary: Summary
) -> None:
    """Require that database and chain of a finished run end as its summary says, before that is said again.

    A chain in the folder that is older is brought to its end. Raises StateError where they end otherwise.
    """
    from transactive.chain.keys.keys import DemoKeys

    if target.url is None and summary.chain:
        place = FolderChain(folder / CHAIN_FILE, store, setting.community, target.keys or DemoKeys(seed), first_slot)
        place.bring_level((summary.chain.height, summary.state_hash))


def _make_room(path: Path, *, discard: bool) -> None:
    """Delete a chain that belongs to no delivered slot. Raises StateError if it has committed slots.

    discard: delete it all the same.
    """
    from transactive.chain.embedded.copies import indexed_in_logs
    from transactive.chain.history import topics_of

    if not discard and path.exists() and (committed := indexed_in_logs(path, *topics_of("commitSlot"))):
        raise StateError(
            f"{path}: has {len(committed)} committed slots, and the database beside it has none; put the database back"
            " (`transactive state restore`), use another --state folder, or delete the chain with `run --discard-chain`"
        )
    for file in path.parent.glob(f"{path.name}*"):
        file.unlink()


def _require_not_ahead(ledger: CommunityChain, store: Store, setting: Setting) -> None:
    """Raise StateError if the chain has committed slots of this run that the database does not have."""
    delivered, last, clock = last_delivered(store), ledger.last_slot, setting.community.clock
    if delivered is None or last is None or last <= clock.number(delivered):
        return
    ahead = [found for found in ledger.commitments() if found.slot > clock.number(delivered)]
    first, end = (time_text(found.slot * clock.length) for found in (ahead[0], ahead[-1]))
    raise StateError(
        f"{store.path}: ends with slot {time_text(delivered)}, and its chain has {len(ahead)} slots more ({first} to"
        f" {end}, in blocks {ahead[0].block} to {ahead[-1].block}); nothing was changed; {RESTORE}"
    )


def _deployed(file: Path, client: ChainClient, setting: Setting) -> Deployment:
    """What a deployment file names, which must be this community's. Raises ConfigError."""
    from transactive.chain.deployments.deployment import load
    from transactive.core.accounts import NAMED

    deployment = load(file)
    deployment.check(client)
    if deployment.accounts != (*setting.community.ids, *NAMED):
        raise ConfigError(f"{file}: was deployed for other members than the community has; deploy anew for these")
    client.first_block = deployment.block
    if tuple(group.members for group in deployment.groups) != tuple(map(len, setting.community.groups)):
        raise ConfigError(f"{file}: was deployed for other groups of members; deploy anew, or change members_per_group")
    for part in deployment.parts[: max(len(deployment.groups), 1)]:
        certificates = client.contract("certificates", part.address("certificates"))
        if client.read(certificates, "isDirect"):
            raise ConfigError(f"{file}: issues certificates directly, a run commits roots; deploy without --direct")
    return deployment
