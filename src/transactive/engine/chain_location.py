"""Where a run settles: on the chain in its state folder, or on a node elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from transactive.chain.nodes.urls import CHAIN_FILE, EMBEDDED, shown
from transactive.config.setting import Setting
from transactive.core.errors import ConfigError
from transactive.store import Store

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

OUTBOX_FILE = "outbox.sqlite"
OPENING = 600
"""Seconds between the chain's first block and the first gate: time to deploy and deposit [s]."""


@dataclass(frozen=True, slots=True)
class ChainLocation:
    """Chain of a run. url: a node elsewhere, None for the chain in the state folder.

    deployment: file of contracts that are there already; without one they are deployed. keys: None for the demo keys of
    the run's seed, which only embedded and development chains accept.
    """

    url: str | None = None
    deployment: Path | None = None
    keys: Keys | None = None

    @property
    def name(self) -> str | None:
        """Node without its secrets, None for the chain in the state folder."""
        return None if self.url is None else shown(self.url)


IN_FOLDER = ChainLocation()


@dataclass(frozen=True, slots=True)
class Opened:
    """A chain that is ready for a run."""

    client: ChainClient
    ledger: ChainLedger
    keys: Keys
    url: str


@contextmanager
def open_chain(
    target: ChainLocation, setting: Setting, first_slot: int, folder: Path, store: Store, seed: str
) -> Iterator[Opened]:
    """Open the chain of a run, new or as an interrupted run left it. Raises ChainError, InputError."""
    from transactive.chain.deployments.deployment import FILE, deploy, describe
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.settlement import ChainLedger
    from transactive.chain.nodes.client import ChainClient

    keys = target.keys or DemoKeys(seed)
    opening = setting.community.clock.gate(first_slot) - OPENING
    address = store.setting("settlement")
    if target.url is None and not store.snapshot():
        address = None  # nothing was delivered yet: what there is of a chain is made anew, block by block the same
        for file in folder.glob(f"{CHAIN_FILE}*"):
            file.unlink()
    url = target.url or f"{EMBEDDED}{folder / CHAIN_FILE}"
    accounts = keys.addresses(setting.community.chart.on_chain)
    made = ChainClient.open(url, genesis_time=opening - 1, alloc=accounts, outbox=folder / OUTBOX_FILE)
    with closing(made) as client:
        if address is None and target.deployment:
            address = _deployed(target.deployment, client, setting)
        if address is None:
            ledger = deploy(client, keys, setting.community, opening)
            describe(client, ledger, setting.community).save(folder / FILE)
        else:
            ledger = ChainLedger.attach(client, keys, address)
        store.set(settlement=ledger.address)
        yield Opened(client, ledger, keys, target.name or url)


def _deployed(file: Path, client: ChainClient, setting: Setting) -> str:
    """Address of the settlement contract that a deployment file names, which must be this community's."""
    from transactive.chain.deployments.deployment import load
    from transactive.core.accounts import NAMED

    deployment = load(file)
    deployment.check(client)
    if deployment.accounts != (*setting.community.ids, *NAMED):
        raise ConfigError(f"{file}: was deployed for other members than the community has; deploy anew for these")
    client.first_block = deployment.block
    return deployment.address("settlement")
