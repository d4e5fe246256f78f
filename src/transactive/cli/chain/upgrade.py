"""`transactive chain upgrade`: from the contracts of an older version to those of this one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from transactive.cli.report import report

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys
    from transactive.chain.nodes.client import ChainClient
    from transactive.store import Store

Flag = Annotated[bool, Parameter(negative="")]
PROGRESS, OUTBOX = "upgrade.json", "upgrade-outbox.sqlite"


def upgrade(
    community: Path,
    *,
    node: str,
    deployment: Path = Path("deployment.json"),
    output: Annotated[Path, Parameter(alias="-o")] = Path("deployment-upgraded.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Deploy this version's contracts beside those of an older one, and carry accounts, balances and limits over.

    The run has to be at its end, with nothing open; its state and statements then name both. Money of accounts whose
    keys are here moves; all others keep theirs, and every way out, in the old contract (`chain withdraw` with the old
    file). Certificates stay where their slots were committed. After an interruption the same command goes on, and
    sends nothing twice.
    Example: transactive chain upgrade community.toml --node http://127.0.0.1:8545 --keys my-keys

    Parameters
    ----------
    community
        Community file, with the members of the deployment.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File with the addresses of the old contracts, as `chain deploy` wrote it; it stays as it is.
    output
        New file for the addresses of the new contracts. How far an upgrade is stands beside it, in upgrade.json.
    keys
        Folder of your own keys: owner, operator, arbiter, on-ramp, gateway, and of the accounts whose money shall move.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    json
        Print one JSON object on stdout.
    """
    facts = run_upgrade(community, node, deployment, output, keys=keys, password_file=password_file, seed=seed)
    report(facts, json=json)


def run_upgrade(
    path: Path, node: str, old: Path, output: Path, *, keys: Path | None, password_file: Path | None, seed: str
) -> dict[str, Any]:
    """Upgrade a deployment. Raises InputError, StateError, ChainError, ContractRevert."""
    from transactive.chain.deployments.deployment import load
    from transactive.chain.deployments.upgrading import Upgrade
    from transactive.chain.nodes.client import ChainClient
    from transactive.cli.chain.signing import time_of_step
    from transactive.config.community_file import load as community_of
    from transactive.core.accounts import NAMED
    from transactive.core.errors import InputError
    from transactive.core.units import money_text

    community, known = community_of(path), load(old)
    if known.groups:
        raise InputError(f"{known.community} settles in {len(known.groups)} groups, which no older contracts have")
    if (*community.ids, *NAMED) != known.accounts:
        raise InputError(f"{path}: has other members than {old}; give the community that was deployed")
    if output.exists():
        raise InputError(f"{output}: is there already; give another --output, so that no deployment is forgotten")
    signers, held = _signers(keys, password_file, seed, known.accounts)
    with _finished(node) as store, closing(ChainClient.open(node, outbox=output.with_name(OUTBOX))) as client:
        known.check(client)
        signers.check(client)
        client.first_block = known.block
        file = output.with_name(PROGRESS)
        nets = _open_nets(store, client, known.address("settlement"))
        made, progress = Upgrade(
            client, signers, community, known, held, file, lambda: time_of_step(client), nets
        ).run()
        made.save(output)
        if store:
            store.set(successor=progress.new)
        file.unlink()
    stayed = [name for name in known.accounts if name not in held]
    return {name: deployed.address for name, deployed in made.contracts.items()} | {
        "before": progress.old,
        "moved": money_text(sum(progress.moved_n.values()), known.currency, digits=9),
        "accounts_moved": len(progress.moved_n),
        "stayed": ", ".join(stayed) or None,
        "deployment": str(output),
    }


@contextmanager
def _finished(node: str) -> Iterator[Store | None]:
    """State of the run whose chain it is, None for any other chain. Raises StateError unless the run is at its end."""
    from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
    from transactive.core.errors import StateError
    from transactive.store import FILE, Store
    from transactive.store.folder import hold

    if is_embedded(node):
        existing_path(node)
        folder = Path(embedded_path(node)).parent
        if (folder / FILE).exists():
            with hold(folder), closing(Store(folder)) as store:
                if store.setting("outcome") is None:
                    raise StateError(f"{folder}: its run is not at its end; let it go on first, with `run` or `demo`")
                yield store
            return
    yield None


def _open_nets(store: Store | None, client: ChainClient, address: str) -> dict[int, list[int]]:
    """Net amounts of the period that a run left open at its end, by its number [n¤]; none without a run."""
    if store is None:
        return {}
    from transactive.engine.books.rebuilt import community_of, leaves_from
    from transactive.settlement.ledger import CREDIT, DEBIT

    community, settlement = community_of(store), client.contract("settlement", address)
    clock = community.clock
    period, settled = (int(client.read(settlement, name)) for name in ("latestPeriod", "settledPeriod"))
    seconds = clock.slots_per_period * clock.length
    slots = store.delivered(period * seconds, (period + 1) * seconds - 1)
    if period <= settled or not slots:
        return {}
    *_, (_, leaves) = leaves_from(store, community, slots[0], slots[-1])
    credit, debit = leaves.money[:, CREDIT], leaves.money[:, DEBIT]
    return {period: (credit - debit).tolist()}


def _signers(
    folder: Path | None, password_file: Path | None, seed: str, accounts: tuple[str, ...]
) -> tuple[Keys, list[str]]:
    """Keys that sign, and the accounts whose keys are among them."""
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.keys.keystore import KeyFolder, OwnKeys, account_keys
    from transactive.cli.keys.commands import read_password
    from transactive.core.accounts import NAMED

    if folder is None:
        return DemoKeys(seed), list(accounts)
    chosen, members = KeyFolder(folder), accounts[: -len(NAMED)]
    here = set(chosen.addresses())
    held = [name for name, key in zip(accounts, account_keys(members), strict=True) if key in here]
    return OwnKeys(chosen, lambda: read_password(password_file), members), held
