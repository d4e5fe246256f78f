"""`transactive chain status`: what the chain says, without a key."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transactive.chain.nodes.urls import existing_path, is_embedded
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.core.units import money_text

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.deployments.status import Standing


def run_status(node: str, file: Path | None) -> tuple[dict[str, Any], bool]:
    """Facts of a deployment, and whether it is sound. Raises InputError, ChainError."""
    from transactive.chain.deployments.status import standing
    from transactive.chain.nodes.client import ChainClient

    deployment = deployment_of(node, file)
    with closing(ChainClient.open(node)) as client:
        *groups, now = (standing(client, part) for part in deployment.parts)
        settlement = client.contract("settlement", deployment.address("settlement"))
        length = int(client.read(settlement, "slotSeconds"))
    facts: dict[str, Any] = {
        "community": deployment.community,
        "chain_id": deployment.chain_id,
        "height": now.height,
        "head": "0x" + now.head_hash.hex(),
        "head_time": time_text(now.head_time),
    }
    facts |= {f"code_of_{name}": word for name, word in now.code.items()}
    facts |= {
        "last_slot": None if now.last_slot is None else time_text(now.last_slot * length),
        "settled_period": now.settled_period,
        "proposed_period": now.period,
        "payable_from": None if now.ready_at is None else time_text(now.ready_at),
        "paused": now.paused,
        "supply": money_text(now.supply_n, deployment.currency),
        "held": money_text(now.held_n, deployment.currency),
    }
    if now.bond_n is not None:
        facts["bond"] = money_text(now.bond_n, deployment.currency)
    facts |= {name: f"{who}, {now.coins[name]} wei" for name, who in now.roles.items()}
    sound = all(one.is_sound for one in (*groups, now))
    balances = {name: str(balance) for one in (*groups, now) for name, balance in one.balances_n.items()}
    if groups:
        facts["groups"] = {
            f"group_{number}": _group_facts(group, deployment.currency, length)
            for number, group in enumerate(groups, 1)
        }
    return facts | {"sound": sound, "balances_n": {name: balances[name] for name in deployment.accounts}}, sound


def _group_facts(group: Standing, currency: str, length: int) -> dict[str, Any]:
    """What the chain says of one group. length: of a slot [s]."""
    changed = {name: word for name, word in group.code.items() if word != "as deployed"}
    return {
        "members": len(group.balances_n) - 1,
        "last_slot": None if group.last_slot is None else time_text(group.last_slot * length),
        "settled_period": group.settled_period,
        "proposed_period": group.period,
        "payable_from": None if group.ready_at is None else time_text(group.ready_at),
        "held": money_text(group.held_n, currency),
        "code": changed or "as deployed",
        "sound": group.is_sound,
    }


def deployment_of(node: str, file: Path | None) -> Deployment:
    """Deployment in a file, or in the state folder of an embedded chain. Raises InputError for a node elsewhere."""
    from transactive.chain.deployments.deployment import FILE, load

    if file is None:
        if not is_embedded(node):
            raise InputError("--deployment is missing; give the file that `chain deploy` or the run's state folder has")
        file = existing_path(node).with_name(FILE)
    elif is_embedded(node):
        existing_path(node)
    return load(file)
