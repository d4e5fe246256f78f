"""`transactive chain upgrade`: from the contracts of an older version to those of this one."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from transactive.cli.report import report

if TYPE_CHECKING:
    from transactive.chain.keys.keys import Keys

Flag = Annotated[bool, Parameter(negative="")]
PROGRESS, OUTBOX = "upgrade.json", "upgrade-outbox.sqlite"


def upgrade(
    community: Path,
    *,
    node: str,
    state: Path | None = None,
    deployment: Path = Path("deployment.json"),
    output: Annotated[Path, Parameter(alias="-o")] = Path("deployment-upgraded.json"),
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    json: Flag = False,
) -> None:
    """Deploy this version's contracts beside those of an older one, and carry accounts, balances and limits over.

    A run, over or in the middle, first comes to the end of its open period on the old contracts; then all accounts
    move, and the same `run` goes on in the new ones. Its state and statements name both. Without a run nothing may be
    open: money of accounts whose keys are here moves; all others keep theirs, and every way out, in the old contract
    (`chain withdraw` with the old file). Certificates stay where their slots were committed; those of later slots come
    from the new contract alone. After an interruption the same command goes on, and sends nothing twice.
    Example: transactive chain upgrade community.toml --node http://127.0.0.1:8545 --keys my-keys

    Parameters
    ----------
    community
        Community file, with the members of the deployment.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH. With the chain in a state folder its run is upgraded.
    state
        State folder of a run that settles at --node elsewhere, to upgrade it; with the keys of all its accounts.
    deployment
        Without a run: file with the addresses of the old contracts, as `chain deploy` wrote it; it stays as it is.
    output
        Without a run: new file for the addresses of the new contracts; how far an upgrade is stands beside it, in
        upgrade.json. A run has them in deployment.json of its state, and those of before in deployment-1.json.
    keys
        Folder of your own keys: owner, operator, arbiter, on-ramp, gateway, and of the accounts whose money shall move.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only; a run knows its own.
    json
        Print one JSON object on stdout.
    """
    folder = _state_of(node, state)
    if folder is None:
        facts = run_upgrade(community, node, deployment, output, keys=keys, password_file=password_file, seed=seed)
    else:
        facts = run_upgrade_of_run(community, node, folder, keys=keys, password_file=password_file)
    report(facts, json=json)


def run_upgrade(
    path: Path, node: str, old: Path, output: Path, *, keys: Path | None, password_file: Path | None, seed: str
) -> dict[str, Any]:
    """Upgrade a deployment without a run. Raises InputError, StateError, ChainError, ContractRevert."""
    from transactive.chain.deployments.deployment import load
    from transactive.chain.deployments.upgrading import Upgrade, comes_from
    from transactive.chain.nodes.client import ChainClient
    from transactive.cli.chain.signing import time_of_step
    from transactive.config.community_file import load as community_of
    from transactive.core.accounts import NAMED
    from transactive.core.errors import InputError
    from transactive.core.units import money_text

    community, known = community_of(path), load(old)
    if (*community.ids, *NAMED) != known.accounts:
        raise InputError(f"{path}: has other members than {old}; give the community that was deployed")
    file = output.with_name(PROGRESS)
    if output.exists() and not (file.exists() and comes_from(file, load(output))):
        raise InputError(f"{output}: is there already; give another --output, so that no deployment is forgotten")
    if known.groups:
        raise InputError(
            f"{known.community} settles in {len(known.groups)} groups, whose accounts move with a run; give its --state"
        )
    signers, held = _signers(keys, password_file, seed, known.accounts)
    with closing(ChainClient.open(node, outbox=output.with_name(OUTBOX))) as client:
        known.check(client)
        signers.check(client)
        client.first_block = known.block
        made, progress = Upgrade(client, signers, community, known, held, file, lambda: time_of_step(client)).run()
        made.save(output)
        file.unlink()
    stayed = [name for name in known.accounts if name not in held]
    return {name: deployed.address for name, deployed in made.contracts.items()} | {
        "before": progress.old,
        "moved": money_text(sum(progress.moved_n.values()), known.currency, digits=9),
        "accounts_moved": len(progress.moved_n),
        "stayed": ", ".join(stayed) or None,
        "deployment": str(output),
    }


def run_upgrade_of_run(
    path: Path, node: str, folder: Path, *, keys: Path | None, password_file: Path | None
) -> dict[str, Any]:
    """Upgrade the contracts of a run, whose state goes on in new ones. Raises InputError, StateError, ChainError."""
    from transactive.chain.deployments.deployment import FILE
    from transactive.chain.nodes.urls import is_embedded
    from transactive.cli.chain_options import target_of
    from transactive.config.setting import load_setting
    from transactive.core.slots import time_text
    from transactive.core.units import money_text
    from transactive.services.upgrade import upgrade_run

    setting = load_setting(path)
    elsewhere = None if is_embedded(node) else node
    target = target_of(elsewhere, None, keys, password_file, setting.community.ids)
    done = upgrade_run(setting, folder, target)
    moved = [amount for amount in done.moved_n if amount]
    issued = [part.contracts["certificates"].address for part in done.before.parts if "certificates" in part.contracts]
    return {name: deployed.address for name, deployed in done.after.everything.items()} | {
        "before": done.before.address("settlement"),
        "certificates_before": ", ".join(issued),
        "since": time_text(done.since),
        "moved": money_text(sum(moved), done.after.currency, digits=9),
        "accounts_moved": len(moved),
        "deployment": str(folder / FILE),
        "go_on": None if done.is_over else f"run {path} --state {folder}",
    }


def _state_of(node: str, state: Path | None) -> Path | None:
    """State folder of the run whose chain it is; None for a chain without one. Raises InputError, StateError."""
    from transactive.chain.nodes.urls import embedded_path, existing_path, is_embedded
    from transactive.core.errors import InputError
    from transactive.store import holds_state

    if is_embedded(node):
        existing_path(node)
        folder = Path(embedded_path(node)).parent
        if state is not None and state.resolve() != folder.resolve():
            raise InputError(f"--state {state}: its chain is in it; give --node embedded:{state}")
        return folder if holds_state(folder) else None
    if state is not None and not holds_state(state):
        raise InputError(f"--state {state}: holds no run; leave it out, or give the --state folder of `run`")
    return state


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
