"""`transactive chain …`: the chain that settlement is committed to, from the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from transactive.chain.acts.table import GROUPS
from transactive.cli.chain.acting import group_app
from transactive.cli.chain.anchors.commands import anchor
from transactive.cli.chain.challenge_commands import answer, challenge, check_deal
from transactive.cli.chain.money_commands import fund, withdraw
from transactive.cli.chain.upgrade import upgrade
from transactive.cli.chain.witness.commands import freeze, witness
from transactive.cli.report import report

chain = App(name="chain", help="The chain that settlement is committed to.")

chain.command(fund)
chain.command(withdraw)
chain.command(challenge)
chain.command(answer)
chain.command(upgrade)
chain.command(anchor)
chain.command(witness)
chain.command(freeze)
for _group in GROUPS:
    chain.command(group_app(_group))
chain["deals"].command(check_deal, name="check")

Flag = Annotated[bool, Parameter(negative="")]
Extra = Literal["registry", "balance_market", "trade_board", "carbon_credits"]
UNSOUND = 5


@chain.command
def deploy(
    community: Path,
    *,
    node: str | None = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("deployment.json"),
    more: Annotated[list[Extra] | None, Parameter(name="--with", negative="")] = None,
    direct: Flag = False,
    token: str | None = None,
    rehearse: Flag = False,
    chain_id: int | None = None,
    rules: Literal["cancun", "prague"] | None = None,
    gas_price_gwei: int | None = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    seed: str = "transactive",
    yes: Flag = False,
    json: Flag = False,
) -> None:
    """Deploy a community's contracts and write their addresses to a file, after a rehearsal of every transaction.

    The rehearsal runs on an embedded chain under the target's chain id and fork rules and tells gas and cost.
    Example: transactive chain deploy community.toml --rehearse --chain-id 56 --gas-price-gwei 1
    Example: transactive chain deploy community.toml --node http://127.0.0.1:8545 --with carbon_credits

    Parameters
    ----------
    community
        Community file.
    node
        Chain: embedded:FILE, http(s)://, ws(s):// or ipc:PATH.
    output
        File for the addresses; it must not exist.
    more
        A contract beside settlement and certificates; may be given again. Markets bring a registry along.
    direct
        Issue certificates at once from signed readings (`chain tokens issue`), not from the roots of slots; for up to
        128 members, and not for a run, which commits roots.
    token
        Address of an ERC-20 with nine decimals to settle in, in place of a new currency. The on-ramp needs to hold what
        is staked and paid in; a rehearsal takes a currency of ours for it.
    rehearse
        Only rehearse; without --node for the chain of --chain-id.
    chain_id
        Chain to expect at the node, or to rehearse for: 56 is BNB Smart Chain.
    rules
        Fork rules of the rehearsal; without it those that the chain is known for.
    gas_price_gwei
        What gas costs [10^9 wei]; without it as the node says.
    keys
        Folder of your own keys, as `keys new --community` makes it.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    seed
        Seed of the demo keys that sign, without --keys: on embedded and development chains only.
    yes
        Send transactions also on a chain where gas costs money.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.deploy import run_deploy

    facts = run_deploy(
        community,
        node=node,
        output=output,
        rehearse_only=rehearse,
        chain_id=chain_id,
        rules=rules,
        gas_price_gwei=gas_price_gwei,
        keys=keys,
        password_file=password_file,
        seed=seed,
        yes=yes,
        more=more or [],
        direct=direct,
        token=token,
    )
    report(facts, json=json)


@chain.command
def status(*, node: str, deployment: Path | None = None, json: Flag = False) -> None:
    """Show the state of the contracts: code, last slot, open proposal, balances. No key is needed.

    Exits with 5 if code was changed or the contract holds less than it owes.
    Example: transactive chain status --node embedded:my-community/community.state

    Parameters
    ----------
    node
        Chain: embedded:DIR, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote; without it the one in the state folder.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.status import run_status

    facts, sound = run_status(node, deployment)
    report(facts, json=json)
    if not sound:
        sys.exit(UNSOUND)


@chain.command
def events(*, node: str, deployment: Path | None = None, follow: Flag = False, json: Flag = False) -> None:
    """Print events of the contracts, one line each; with --follow as they happen, until Ctrl-C.

    An event that a reorganisation put out of the chain is printed again, as taken back.
    Example: transactive chain events --node http://127.0.0.1:8545 --deployment deployment.json --follow

    Parameters
    ----------
    node
        Chain: embedded:DIR, http(s)://, ws(s):// or ipc:PATH.
    deployment
        File that `chain deploy` wrote; without it the one in the state folder.
    follow
        Do not stop at the newest block.
    json
        Print each event as a JSON object on a line of its own.
    """
    from transactive.cli.chain.events import run_events

    run_events(node, deployment, follow=follow, json=json)


@chain.command
def prove(
    *,
    state: Path,
    member: str,
    slot: str,
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    node: str | None = None,
    keys: Path | None = None,
    password_file: Path | None = None,
    json: Flag = False,
) -> None:
    """Rebuild a member's leaf of a slot with its proof, and compare it with the chain.

    Example: transactive chain prove --state my-community/community.state --member ada --slot 2024-06-05T12:00Z

    Parameters
    ----------
    state
        State folder of a run.
    member
        Member, or supplier, network, community, levy or credits.
    slot
        Start of a committed slot, RFC 3339.
    output
        New file for the member: leaf, salt, proof, orders and receipts; what `chain challenge` takes.
    node
        Chain of a run on a node elsewhere; without it the one in the state folder.
    keys
        Folder with the operator's key, from which salts follow; without it the run's demo keys.
    password_file
        File whose first line is the password of the keys; otherwise TRANSACTIVE_PASSWORD, or it is asked for.
    json
        Print one JSON object on stdout.
    """
    from transactive.cli.chain.prove import run_prove, write

    facts, made = run_prove(state, member, slot, node=node, keys=keys, password_file=password_file)
    if output:
        write(made, output)
        facts["written"] = str(output)
    report(facts, json=json)


@chain.command
def replay(*, node: str, to: str | None = None, json: Flag = False) -> None:
    """Run every transaction of an embedded chain again and compare every block hash.

    Example: transactive chain replay --node embedded:my-community/community.state

    Parameters
    ----------
    node
        Chain: embedded:DIR with the state folder of a run, or embedded:FILE.
    to
        embedded:FILE that keeps the copy, or a development node of the same chain id to move to; without it the copy is
        thrown away.
    json
        Print what was found as one JSON object on stdout.
    """
    from transactive.cli.chain.replay import run_replay

    report(run_replay(node, to), json=json)
