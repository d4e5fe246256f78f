"""How a deployment stands: read from the chain alone, without a key."""

from __future__ import annotations

from dataclasses import dataclass

from transactive.chain.deployments.deployment import Deployment, code_keccak, is_ours
from transactive.chain.ledgers.netting import balances_n
from transactive.chain.nodes.client import ChainClient

OFFICES = ("owner", "operator", "arbiter")


@dataclass(frozen=True, slots=True)
class Standing:
    """State of the contracts at the newest block.

    code: by contract "as deployed", "changed", "none", or "other" if it is not what this program ships. last_slot,
    period, ready_at: newest committed slot, proposed period and the time [Unix s] from which it can be paid; None
    without one. balances_n: settled, by account [n¤]. bond_n: the operator's stake, None where the contract has none
    [n¤]. coins: of those who have a role [wei].
    """

    height: int
    head_hash: bytes
    head_time: int
    code: dict[str, str]
    last_slot: int | None
    period: int | None
    ready_at: int | None
    settled_period: int
    balances_n: dict[str, int]
    supply_n: int
    held_n: int
    bond_n: int | None
    paused: bool
    roles: dict[str, str]
    coins: dict[str, int]

    @property
    def is_sound(self) -> bool:
        """Whether the code is what was deployed, and the contract holds what it owes."""
        owed = sum(self.balances_n.values()) + (self.bond_n or 0)
        return set(self.code.values()) == {"as deployed"} and self.held_n >= owed


def standing(client: ChainClient, deployment: Deployment) -> Standing:
    """Read everything. Raises ChainError if the node is on another chain or the contracts are not there."""
    deployment.check(client)
    code = {name: _code(client, name, deployment) for name in deployment.contracts}
    settlement = client.contract("settlement", deployment.address("settlement"))
    currency = client.contract("currency", deployment.address("currency"))
    functions = {str(entry.get("name")) for entry in settlement.abi}

    def read(function: str, *arguments: object) -> int:
        return int(client.read(settlement, function, *arguments))

    latest, pending = read("latestPeriod"), client.read(settlement, "proposal") if read("isPending") else None
    roles = {name: str(client.read(settlement, name)) for name in OFFICES}
    return Standing(
        height=client.height,
        head_hash=client.head_hash,
        head_time=client.head_timestamp,
        code=code,
        last_slot=read("lastSlot", latest) if latest else None,
        period=int(pending[0]) if pending else None,
        ready_at=int(pending[1]) if pending else None,
        settled_period=read("settledPeriod"),
        balances_n=dict(
            zip(deployment.accounts, balances_n(client, settlement, len(deployment.accounts)), strict=True)
        ),
        supply_n=int(client.read(currency, "totalSupply")),
        held_n=int(client.read(currency, "balanceOf", settlement.address)),
        bond_n=read("bond") if "bond" in functions else None,
        paused=bool(read("paused")),
        roles=roles,
        coins={name: client.coins(address) for name, address in roles.items()},
    )


def _code(client: ChainClient, name: str, deployment: Deployment) -> str:
    """What is at a contract's address, in a word or two."""
    deployed = deployment.contracts[name]
    found = client.code(deployed.address)
    if not found:
        return "none"
    if code_keccak(found) != deployed.code_keccak:
        return "changed"
    return "as deployed" if is_ours(name, found) else "other"
