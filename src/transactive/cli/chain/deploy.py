"""`transactive chain deploy`: rehearsed first, then sent, then written down."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.cli.chain_options import address_of, keys_of
from transactive.config.community_file import load
from transactive.core.errors import ChainError, InputError

if TYPE_CHECKING:
    from transactive.chain.deployments.rehearsal import Rehearsal
    from transactive.chain.keys.keys import Keys
    from transactive.chain.nodes.client import ChainClient
    from transactive.core.community.community import Community

GWEI = 10**9


def run_deploy(
    path: Path,
    *,
    node: str | None,
    output: Path,
    rehearse_only: bool,
    chain_id: int | None,
    rules: str | None,
    gas_price_gwei: int | None,
    keys: Path | None,
    password_file: Path | None,
    seed: str,
    yes: bool,
    more: Sequence[str] = (),
    direct: bool = False,
    token: str | None = None,
) -> dict[str, Any]:
    """Deploy the contracts of a community. Raises InputError, ChainError before anything is sent."""
    from transactive.chain.deployments.rehearsal import rehearse
    from transactive.chain.keys.keys import DemoKeys
    from transactive.chain.ledgers.money import existing_token

    community = load(path)
    signers = keys_of(keys, password_file, community.ids) or DemoKeys(seed)
    price = None if gas_price_gwei is None else gas_price_gwei * GWEI
    if node is None:
        if not rehearse_only:
            raise InputError("--node is missing; give the chain's URL, or --rehearse to see what it would cost")
        return _facts(rehearse(community, signers, chain_id or 56, rules, more, direct=direct), price)
    if output.exists() and not rehearse_only:
        raise InputError(f"{output}: is there already; give another --output, so that no deployment is forgotten")
    with closing(_open(node, community, _who_need_gas(signers, community))) as client:
        if chain_id not in (None, client.chain_id):
            raise ChainError(f"the node is on chain {client.chain_id}, not on {chain_id}; check its URL")
        signers.check(client)
        if token is not None:
            existing_token(client, address_of(token, "--token"))
        rehearsal = rehearse(community, signers, client.chain_id, rules, more, direct=direct)
        facts = _facts(rehearsal, price or client.gas_price())
        _check_ready(client, rehearsal, price or client.gas_price(), rehearse_only=rehearse_only)
        if rehearse_only:
            return facts
        _confirm(client, facts, yes=yes)
        return facts | _send(client, community, signers, output, more, direct=direct, token=token)


def _who_need_gas(signers: Keys, community: Community) -> list[str]:
    """Addresses that get coins on a new chain: all roles and accounts, and the gateway of each group."""
    from transactive.chain.keys.roles import gateway_role

    gateways = (signers.role(gateway_role(number)) for number in range(1, len(community.groups)))
    return [*signers.addresses(community.chart.on_chain), *(str(key.address) for key in gateways)]


def _open(node: str, community: Community, alloc: list[str]) -> ChainClient:
    """Client for the target; a new embedded chain is made."""
    from transactive.chain.nodes.client import ChainClient

    try:
        return ChainClient.open(node, alloc=alloc)
    except ChainError as error:
        raise type(error)(f"{error} ({community.name} was not deployed)") from error


def _check_ready(client: ChainClient, rehearsal: Rehearsal, price: int, *, rehearse_only: bool) -> None:
    """Rules and coins: told by a rehearsal, asked for by a deployment."""
    from transactive.chain.deployments.rehearsal import check_rules, missing_coins

    check_rules(client)
    missing = {} if client.is_embedded else missing_coins(client, rehearsal, price)
    for address, wei in missing.items():
        print(f"{address} lacks {_coins(wei)} {rehearsal.coin} for gas", file=sys.stderr)
    if missing and not rehearse_only:
        raise ChainError(
            f"{len(missing)} accounts lack coins for gas, named above; send them some, nothing was sent yet"
        )


def _confirm(client: ChainClient, facts: dict[str, Any], *, yes: bool) -> None:
    """A chain where gas costs something is only written to when the caller says so."""
    from transactive.chain.keys.keys import DEVELOPMENT_CHAINS

    if client.is_embedded or client.chain_id in DEVELOPMENT_CHAINS or yes:
        return
    raise InputError(f"this would cost about {facts['cost']} on chain {client.chain_id}; add --yes to send it")


def _send(
    client: ChainClient,
    community: Community,
    signers: Keys,
    output: Path,
    more: Sequence[str],
    *,
    direct: bool,
    token: str | None,
) -> dict[str, Any]:
    """Deploy and write the address book."""
    from transactive.chain.deployments.deployment import deploy, describe
    from transactive.chain.deployments.extras import deploy_extras, with_needed
    from transactive.cli.chain.signing import time_of_step

    now, enrols = time_of_step(client), "registry" in with_needed(more)
    ledger = deploy(client, signers, community, now, direct=direct, currency=token, enrols=enrols)
    extras = deploy_extras(client, signers, ledger, community, more, time_of_step(client))
    deployment = describe(client, ledger, community, extras)
    deployment.save(output)
    return {name: deployed.address for name, deployed in deployment.contracts.items()} | {
        "block": deployment.block,
        "deployment": str(output),
    }


def _facts(rehearsal: Rehearsal, price: int | None) -> dict[str, Any]:
    """What a rehearsal found."""
    facts = {
        "chain_id": rehearsal.chain_id,
        "rules": rehearsal.rules,
        "transactions": rehearsal.transactions,
        "gas": rehearsal.total_gas,
    }
    if price is not None:
        facts |= {"gas_price_wei": str(price), "cost": f"{_coins(rehearsal.total_gas * price)} {rehearsal.coin}"}
    return facts


def _coins(wei: int) -> str:
    """Coins of a chain to six decimals, rounded up."""
    millionths = -(-wei // 10**12)
    return f"{millionths // 10**6}.{millionths % 10**6:06d}"
