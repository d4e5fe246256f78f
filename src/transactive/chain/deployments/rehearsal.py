"""A deployment rehearsed: every transaction run on an embedded chain under the target's chain id and fork rules.

Gas does not depend on whose chain executes, so that a rehearsal tells what the real thing will use, and who has to hold
how many coins before it begins.
"""

from __future__ import annotations

from collections.abc import Collection
from contextlib import closing
from dataclasses import dataclass

from transactive.chain.deployments.deployment import deploy
from transactive.chain.deployments.extras import deploy_extras, with_needed
from transactive.chain.embedded.chain import NEWEST, EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.keys.keys import Keys
from transactive.chain.nodes.client import START_BALANCE, ChainClient
from transactive.chain.nodes.nodes import EmbeddedNode
from transactive.core.community.community import Community
from transactive.core.errors import ChainError

RULES_OF = {56: "cancun", 97: "cancun"}
"""Rules that chains are held to where they differ from `NEWEST`: BNB Smart Chain and its test network."""
COINS = {1: "ETH", 10: "ETH", 56: "BNB", 97: "tBNB", 100: "xDAI", 137: "POL", 8453: "ETH", 42161: "ETH"}
LEAST_RULES = "0x5f5f5f5e60015f5d5f5ff3"
"""Init code of PUSH0, MCOPY and TSTORE: what the contracts need that older rules lack."""


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What a deployment uses. transactions: how many; gas: of each sender by address [gas]."""

    chain_id: int
    rules: str
    transactions: int
    gas: dict[str, int]

    @property
    def total_gas(self) -> int:
        """Of all senders [gas]."""
        return sum(self.gas.values())

    @property
    def coin(self) -> str:
        """Name of the chain's coin."""
        return COINS.get(self.chain_id, "coins")


def rehearse(
    community: Community,
    keys: Keys,
    chain_id: int,
    rules: str | None = None,
    more: Collection[str] = (),
    *,
    direct: bool = False,
) -> Rehearsal:
    """Deploy on an embedded chain in memory that takes itself for another. Raises ContractRevert if it would fail.

    more: names of contracts beside the settlement. direct: as `deploy` takes it.
    """
    rules = rules or RULES_OF.get(chain_id, NEWEST)
    alloc = dict.fromkeys(keys.addresses(community.chart.on_chain), START_BALANCE)
    chain = EmbeddedChain(":memory:", chain_id=chain_id, alloc=alloc, rules=rules)
    with closing(ChainClient(EmbeddedNode(EmbeddedProvider(chain)))) as client:
        enrols = "registry" in with_needed(more)
        ledger = deploy(client, keys, community, timestamp=1000, direct=direct, enrols=enrols)
        deploy_extras(client, keys, ledger, community, more, timestamp=2000)
        rows = [
            chain.index.transaction(tx_hash)
            for number, _, _ in chain.index.blocks()
            for tx_hash, _ in chain.index.in_block(number)
        ]
        receipts = [client.receipt("0x" + row[0].hex()) for row in rows if row]
    gas: dict[str, int] = {}
    for receipt in receipts:
        gas[receipt["from"]] = gas.get(receipt["from"], 0) + int(receipt["gasUsed"], 16)
    return Rehearsal(chain_id, rules, len(receipts), gas)


def missing_coins(client: ChainClient, rehearsal: Rehearsal, price: int) -> dict[str, int]:
    """What each sender lacks to pay for its gas at `price` [wei per gas], with a quarter to spare [wei]."""
    missing = {}
    for address, gas in rehearsal.gas.items():
        lacks = gas * price * 5 // 4 - client.coins(address)
        if lacks > 0:
            missing[address] = lacks
    return missing


def check_rules(client: ChainClient) -> None:
    """Raise ChainError if the node's rules are older than the contracts need."""
    try:
        client.run_code(LEAST_RULES)
    except ChainError as error:
        raise ChainError(
            f"chain {client.chain_id} has rules older than cancun, which the contracts need: {error}"
        ) from error
