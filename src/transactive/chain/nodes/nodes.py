"""What a chain is asked through, and the one that is ours: an embedded chain mines what is queued in one block."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import rlp
from eth_account.signers.local import LocalAccount
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint

from transactive.chain import trouble
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.embedded.words import RpcError
from transactive.core.errors import ChainError, NodeUnreachable
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak

CALL_GAS = 16_000_000
"""Limit of every call where gas costs nothing: below 2**24, where newer rules cap a transaction."""
EMBEDDED_FEE = 10 * 10**9
DYNAMIC_FEE = b"\x02"
"""Type of a transaction that names a highest fee and a tip. Source: EIP-1559."""
HASHES_ONLY = False
"""Second parameter of eth_getBlockByNumber: no whole transactions."""

Json = dict[str, Any]


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
        """Raw type-2 transaction; fees in wei per gas. The same fields give the same bytes. Source: EIP-1559."""
        numbers = (chain_id, self.nonce, tip, max_fee, gas)
        fields: list[Any] = [_big_endian(number) for number in numbers]
        fields += [_bytes_of(self.to or ""), _big_endian(self.value), _bytes_of(self.data), []]
        signature = signing.sign(keccak(DYNAMIC_FEE + rlp.encode(fields)), bytes(self.sender.key))
        y_parity = signature[64] - 27
        parts = (y_parity, *(int.from_bytes(half, "big") for half in (signature[:32], signature[32:64])))
        return DYNAMIC_FEE + bytes(rlp.encode([*fields, *map(_big_endian, parts)]))


def _big_endian(number: int) -> bytes:
    """Number as RLP has it: without leading zeros."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def _bytes_of(text: str) -> bytes:
    """Bytes of 0x-hex."""
    return bytes.fromhex(text.removeprefix("0x"))


class RpcNode:
    """JSON-RPC requests to a provider, with answers that are what they should be."""

    def __init__(self, provider: BaseProvider) -> None:
        self.provider = provider

    def ask(self, method: str, *params: Any) -> Any:  # noqa: ANN401 - as the method says
        """Result of a request. Raises ChainError with the node's message, NodeUnreachable without a usable answer."""
        answer = self.provider.make_request(RPCEndpoint(method), params)
        if answer.get("error"):
            error: Any = answer["error"]
            raise ChainError(str(error["message"]) if isinstance(error, dict) and "message" in error else str(error))
        return answer.get("result")

    def number(self, method: str, *params: Any) -> int:  # noqa: ANN401 - as the method says
        """Result of a request that gives a quantity. Raises ChainError, NodeUnreachable."""
        result = self.ask(method, *params)
        try:
            return int(result, 16)
        except (TypeError, ValueError):
            raise NodeUnreachable(f"the node answers {method} with {str(result)[:60]!r}, which is no number") from None

    def block(self, at: int | str = "latest") -> Json:
        """Header of a block by number or name. Raises ChainError if there is none, NodeUnreachable."""
        tag = hex(at) if isinstance(at, int) else at
        header: Json = self.ask("eth_getBlockByNumber", tag, HASHES_ONLY)
        if header is None:
            raise trouble.without_block(at)
        try:
            return header | {name: int(header[name], 16) for name in ("number", "timestamp")}
        except (KeyError, TypeError, ValueError):
            raise NodeUnreachable(f"the node answers eth_getBlockByNumber with {str(header)[:60]!r}") from None

    def receipt(self, tx_hash: str) -> Json | None:
        """Receipt of a mined transaction. Raises NodeUnreachable."""
        found: Json | None = self.ask("eth_getTransactionReceipt", tx_hash)
        if found is not None and not (isinstance(found, dict) and {"status", "gasUsed", "blockNumber"} <= set(found)):
            raise NodeUnreachable(f"the node answers eth_getTransactionReceipt with {str(found)[:60]!r}")
        return found


class EmbeddedNode(RpcNode):
    """An embedded chain."""

    provider: EmbeddedProvider

    def __init__(self, provider: EmbeddedProvider) -> None:
        super().__init__(provider)
        self.chain = provider.chain

    is_interrupted = False
    """A step is in the file with its first block, all of it."""

    def close(self) -> None:
        """Close the file."""
        self.chain.close()

    def next_nonce(self, address: str) -> int:
        """Nonce of the next transaction of an account."""
        return self.number("eth_getTransactionCount", address, "pending")

    def is_newest(self, number: int) -> bool:
        """Whether nothing was put on chain after block `number`."""
        return bool(self.chain.head.block_number == number)

    def run(self, queue: list[Queued], timestamp: int, chain_id: int) -> list[Json]:
        """Mine the queue at `timestamp`, and one second later each time what did not fit. Receipts in its order."""
        raws = [queued.sign(chain_id, CALL_GAS, EMBEDDED_FEE, 0) for queued in queue]
        with self.chain.lock:
            try:
                before = self.chain.head.block_number
                self.chain.mine(timestamp, raws)
                self._mine_rest()
            except RpcError as error:
                raise ChainError(str(error)) from error
            blocks = range(before + 1, self.chain.head.block_number + 1)
            receipts = {raw: receipt for number in blocks for raw, receipt in self.provider.receipts_in(number)}
        for queued, raw in zip(queue, raws, strict=True):
            if raw not in receipts:
                raise ChainError(f"{queued.kind} was dropped: {queued.sender.address} has no ether for gas")
        return [receipts[raw] for raw in raws]

    def find(self, timestamp: int) -> Json | None:
        """Block with exactly this time; None if the chain has not come so far. Raises ChainError if it is beyond.

        What an interrupted step left in the pool, because it did not fit into one block, is mined first.
        """
        with self.chain.lock:
            self._mine_rest()
        return block_with_time(self, timestamp)

    def _mine_rest(self) -> None:
        """Mine what did not fit, each block a second later. Raises ChainError if it cannot be."""
        while self.chain.index.pending():
            self.chain.mine(self.chain.head.timestamp + 1)
            if self.chain.head.gas_used == 0:
                raise ChainError("a transaction waits for one before it that was lost; send it again")

    def forget(self) -> None:
        """Nothing is remembered beside the chain."""


def block_with_time(node: RpcNode, timestamp: int) -> Json | None:
    """Block with exactly this time [Unix s]; None if the chain has not come so far. Raises ChainError if it is beyond.

    Block times never fall, so a few headers are read, however old the chain is.
    """
    newest = node.block()
    if newest["timestamp"] <= timestamp:
        return newest if newest["timestamp"] == timestamp else None
    low, high = 0, int(newest["number"])  # the wanted one is at `low` or after, and before `high`
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if node.block(middle)["timestamp"] <= timestamp else (low, middle)
    found = node.block(low)
    if found["timestamp"] == timestamp:
        return found
    raise trouble.without_block_at(timestamp)
