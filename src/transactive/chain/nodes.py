"""How queued calls reach a chain: an embedded one mines them in one block, a remote one is sent them and waited for."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint
from websockets.exceptions import WebSocketException

from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.embedded.words import RpcError
from transactive.chain.keys import DEVELOPMENT_CHAINS
from transactive.chain.reasons import UNKNOWN, reason_of
from transactive.core.errors import ChainError, ContractRevert

CALL_GAS = 16_000_000
"""Limit of every call where gas costs nothing: below 2**24, where newer rules cap a transaction."""
EMBEDDED_FEE = 10 * 10**9
HASHES_ONLY = False
"""Second parameter of eth_getBlockByNumber: no whole transactions."""
POLL_SECONDS = 0.02
PATIENCE_SECONDS = 180


@dataclass(frozen=True, slots=True)
class Queued:
    """A call that waits to be signed and sent. to: None creates a contract. data: 0x-hex. value [wei]."""

    sender: LocalAccount
    nonce: int
    to: str | None
    data: str
    kind: str
    value: int = 0

    def sign(self, chain_id: int, gas: int, max_fee: int, tip: int) -> bytes:
        """Raw type-2 transaction; fees in wei per gas."""
        fields: dict[str, Any] = {
            "chainId": chain_id,
            "nonce": self.nonce,
            "gas": gas,
            "maxFeePerGas": max_fee,
            "maxPriorityFeePerGas": tip,
            "value": self.value,
            "data": self.data,
        }
        if self.to:
            fields["to"] = self.to
        return bytes(self.sender.sign_transaction(fields).raw_transaction)


def ask(provider: BaseProvider, method: str, params: tuple[Any, ...]) -> Any:  # noqa: ANN401 - as the method says
    """Result of a JSON-RPC request. Raises ChainError with the node's message."""
    try:
        answer = provider.make_request(RPCEndpoint(method), params)
    except (OSError, WebSocketException) as error:
        raise ChainError(f"the node does not answer {method}: {error}; check that it runs and its URL") from error
    if "error" in answer:
        error_part: Any = answer["error"]
        raise ChainError(error_part["message"] if isinstance(error_part, dict) else str(error_part))
    return answer.get("result")


class EmbeddedNode:
    """An embedded chain."""

    def __init__(self, provider: EmbeddedProvider) -> None:
        self.provider = provider
        self.chain = provider.chain

    def ask(self, method: str, *params: Any) -> Any:  # noqa: ANN401 - as the method says
        """Result of a request."""
        return ask(self.provider, method, params)

    def close(self) -> None:
        """Close the file."""
        self.chain.close()

    def run(self, queue: list[Queued], timestamp: int, chain_id: int) -> list[dict[str, Any]]:
        """Mine the queue at `timestamp`, and one second later each time what did not fit. Receipts in its order."""
        raws = [queued.sign(chain_id, CALL_GAS, EMBEDDED_FEE, 0) for queued in queue]
        with self.chain.lock:
            try:
                before = self.chain.head.block_number
                self.chain.mine(timestamp, raws)
                while self.chain.index.pending():
                    self.chain.mine(self.chain.head.timestamp + 1)
                    if self.chain.head.gas_used == 0:
                        raise ChainError("a transaction waits for one before it that was lost; send it again")
            except RpcError as error:
                raise ChainError(str(error)) from error
            hashes = {
                raw: "0x" + tx_hash.hex()
                for number in range(before + 1, self.chain.head.block_number + 1)
                for tx_hash, raw in self.chain.index.in_block(number)
            }
        for queued, raw in zip(queue, raws, strict=True):
            if raw not in hashes:
                raise ChainError(f"{queued.kind} was dropped: {queued.sender.address} has no ether for gas")
        return [self.ask("eth_getTransactionReceipt", hashes[raw]) for raw in raws]


class RemoteNode:
    """Any node behind JSON-RPC."""

    def __init__(self, provider: BaseProvider, url: str) -> None:
        self.provider = provider
        self.url = url

    def ask(self, method: str, *params: Any) -> Any:  # noqa: ANN401 - as the method says
        """Result of a request."""
        return ask(self.provider, method, params)

    def close(self) -> None:
        """Close the connection, if the provider keeps one."""
        close = getattr(self.provider, "close", None)
        if close is not None:
            close()

    def fund(self, addresses: Iterable[str], wei: int) -> None:
        """On a development node, give ether to those that have none. Raises ChainError if it cannot."""
        if int(self.ask("eth_chainId"), 16) not in DEVELOPMENT_CHAINS:
            return
        for address in addresses:
            if int(self.ask("eth_getBalance", address, "latest"), 16) == 0:
                try:
                    self.ask("hardhat_setBalance", address, hex(wei))  # Anvil and Hardhat know this name
                except ChainError as error:
                    raise ChainError(f"{address} has no ether on {self.url}: {error}; fund it first") from error

    def run(self, queue: list[Queued], timestamp: int, chain_id: int) -> list[dict[str, Any]]:
        """Sign and send the queue in order once the node is at `timestamp`, and wait. Receipts in its order."""
        free = chain_id in DEVELOPMENT_CHAINS
        if free:
            self._follow(timestamp)
        else:
            self._reach(timestamp)
        max_fee, tip = self._fees()
        sent: list[str] = []
        for queued in queue:
            gas = CALL_GAS if free else self._estimate(queued, sent)
            raw = queued.sign(chain_id, gas, max_fee, tip)
            sent.append(self.ask("eth_sendRawTransaction", "0x" + raw.hex()))
            if queued.to is None:
                self._wait(sent[-1])  # calls to a contract that does not exist yet would be estimated far too low
        return [self._wait(tx_hash) for tx_hash in sent]

    def _follow(self, timestamp: int) -> None:
        """Ask a development node to give its next block our time; one that cannot keeps its own."""
        try:
            self.ask("evm_setNextBlockTimestamp", hex(timestamp))
        except ChainError:
            return

    def _reach(self, timestamp: int) -> None:
        """Wait until the newest block, whose time estimates see, is at `timestamp`. Raises ChainError in vain."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while int(self.ask("eth_getBlockByNumber", "latest", HASHES_ONLY)["timestamp"], 16) < timestamp:
            if time.monotonic() > deadline:
                raise ChainError(f"{self.url} has not reached {timestamp}; check its clock and that it makes blocks")
            time.sleep(POLL_SECONDS)

    def _fees(self) -> tuple[int, int]:
        """Highest fee and tip [wei per gas]: twice the newest base fee, and what the node suggests."""
        base = int(self.ask("eth_getBlockByNumber", "latest", HASHES_ONLY).get("baseFeePerGas", "0x0"), 16)
        tip = int(self.ask("eth_maxPriorityFeePerGas"), 16)
        return 2 * base + tip, tip

    def _estimate(self, queued: Queued, sent: list[str]) -> int:
        """Gas limit [gas], a quarter above the estimate; a refused one is asked again once all before it is mined."""
        call = {"from": queued.sender.address, "data": queued.data, "value": hex(queued.value)}
        if queued.to:
            call["to"] = queued.to
        try:
            estimate = self.ask("eth_estimateGas", call)
        except ChainError:
            for tx_hash in sent:
                self._wait(tx_hash)
            try:
                estimate = self.ask("eth_estimateGas", call)
            except ChainError as error:
                if "revert" not in str(error):
                    raise
                raise ContractRevert(reason_of(str(error)) or f"{queued.kind} {UNKNOWN}") from error
        return int(estimate, 16) * 5 // 4

    def _wait(self, tx_hash: str) -> dict[str, Any]:
        """Receipt of a transaction. Raises ChainError if it does not come."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.ask("eth_getTransactionReceipt", tx_hash)
            if receipt:
                return receipt
            time.sleep(POLL_SECONDS)
        raise ChainError(f"transaction {tx_hash} was not mined within {PATIENCE_SECONDS} s by {self.url}")
