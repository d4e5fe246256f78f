"""Move an embedded chain to a development node: the same signed transactions at the same times, block by block."""

from __future__ import annotations

from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.nodes.mining import BY_ITSELF, WHEN_TOLD
from transactive.chain.nodes.nodes import RpcNode
from transactive.chain.nodes.remote import Patience, provider_for
from transactive.chain.nodes.sending import hash_of
from transactive.chain.nodes.urls import shown
from transactive.core.errors import ChainError

PATIENT = Patience()


def migrate(source: EmbeddedChain, url: str) -> int:
    """Send all of a chain to a new development node; gives the number of transactions.

    The node's own header fields differ, and so its hashes; outcome and gas of every transaction must not. Raises
    ChainError for a node on another chain or with blocks, and at the first transaction that ends differently.
    """
    provider = provider_for(url, PATIENT)
    try:
        return _send_all(source, RpcNode(provider), shown(url))
    finally:
        provider.close()


def _send_all(source: EmbeddedChain, node: RpcNode, place: str) -> int:
    _prepare(source, node, place)
    sent = 0
    for number, _, timestamp in source.index.blocks()[1:]:
        raws = [raw for _, raw in source.index.in_block(number)]
        for raw in raws:
            node.ask("eth_sendRawTransaction", "0x" + raw.hex())
        node.ask("evm_mine", hex(timestamp))
        for raw in raws:
            _compare(source, node, raw, number)
        sent += len(raws)
    node.ask("evm_setAutomine", BY_ITSELF)
    return sent


def _prepare(source: EmbeddedChain, node: RpcNode, place: str) -> None:
    """Check the node and give it the balances and the time with which the chain began."""
    chain_id, newest = node.number("eth_chainId"), node.block()
    if chain_id != source.chain_id:
        raise ChainError(
            f"{place} is chain {chain_id}, the journal is of {source.chain_id} and its signatures count there only;"
            f" start the node with chain id {source.chain_id}"
        )
    if newest["number"]:
        raise ChainError(f"{place} has {newest['number']} blocks already; start a new development node to move to")
    settings = source.settings()
    try:
        for key, wei in settings.items():
            if key.startswith("alloc "):
                node.ask("hardhat_setBalance", key.removeprefix("alloc "), hex(int(wei)))
        if newest["timestamp"] > int(settings["genesis_time"]):
            node.ask("evm_setTime", hex(int(settings["genesis_time"])))
        node.ask("evm_setAutomine", WHEN_TOLD)
    except ChainError as error:
        raise ChainError(f"{place} is no development node that a chain can be moved to: {error}") from error


def _compare(source: EmbeddedChain, node: RpcNode, raw: bytes, number: int) -> None:
    """Raise ChainError unless a transaction ended there as it did here, in the block of the same number."""
    there, here = node.receipt(hash_of(raw)), source.index.transaction(bytes.fromhex(hash_of(raw)[2:]))
    found = there and tuple(int(there[name], 16) for name in ("blockNumber", "status", "gasUsed"))
    if here is None or found != (number, here[7], here[8]):
        raise ChainError(
            f"transaction {hash_of(raw)} of block {number} ended differently: {found} as block, status, gas"
        )
