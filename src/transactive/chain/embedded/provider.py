"""web3.py provider over an embedded chain: a table of JSON-RPC methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import rlp
from eth.abc import BlockHeaderAPI, StateAPI
from web3.providers.base import BaseProvider
from web3.types import RPCEndpoint, RPCResponse

from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.execution import estimate, execute, free_of_charge, raise_on_error
from transactive.chain.embedded.log_filter import LogFilter
from transactive.chain.embedded.render import (
    Json,
    block_json,
    log_json,
    receipt_json,
    transaction_json,
)
from transactive.chain.embedded.words import METHOD_NOT_FOUND, RpcError, data, quantity, to_bytes, to_int

NEWEST = ("latest", "pending", "safe", "finalized")


class EmbeddedProvider(BaseProvider):
    """Answers JSON-RPC requests in the same process."""

    def __init__(self, chain: EmbeddedChain) -> None:
        super().__init__()
        self.chain = chain
        self._methods = self._chain_methods() | self._state_methods() | self._control_methods()

    def _chain_methods(self) -> dict[str, Any]:
        """Methods on the node, its blocks and its transactions."""
        chain = self.chain
        return {
            "web3_clientVersion": lambda: "transactive-embedded/1",
            "net_version": lambda: str(chain.chain_id),
            "eth_chainId": lambda: quantity(chain.chain_id),
            "eth_syncing": lambda: False,
            "eth_accounts": list,
            "eth_blockNumber": lambda: quantity(chain.head.block_number),
            "eth_gasPrice": lambda: quantity(chain.head.base_fee_per_gas + 1),
            "eth_maxPriorityFeePerGas": lambda: quantity(0),
            "eth_feeHistory": self._fee_history,
            "eth_getBlockByNumber": self._block_by_number,
            "eth_getBlockByHash": self._block_by_hash,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionReceipt": self._receipt,
            "eth_getLogs": self._logs,
            "eth_sendRawTransaction": lambda raw: data(chain.submit(to_bytes(raw))),
        }

    def _state_methods(self) -> dict[str, Any]:
        """Methods on the state at a block."""
        return {
            "eth_getTransactionCount": self._nonce,
            "eth_getBalance": lambda who, at="latest": quantity(self._state(at).get_balance(to_bytes(who))),
            "eth_getCode": lambda who, at="latest": data(self._state(at).get_code(to_bytes(who))),
            "eth_getStorageAt": self._storage,
            "eth_getProof": lambda who, places, at="latest": self.chain.proof(self._header(at), who, places),
            "debug_getRawHeader": lambda at: data(rlp.encode(self._header(at))),
            "eth_call": self._call,
            "eth_estimateGas": self._estimate,
        }

    def _control_methods(self) -> dict[str, Any]:
        """Methods that only development nodes have."""
        return {
            "evm_mine": self._mine,
            "evm_setNextBlockTimestamp": self._set_time,
            "evm_setAutomine": self._set_automine,
            "evm_snapshot": lambda: quantity(self.chain.snapshot()),
            "evm_revert": lambda snapshot: self.chain.revert(to_int(snapshot)),
        }

    def is_connected(self, show_traceback: bool = False) -> bool:  # noqa: ARG002 - web3's signature
        """Always."""
        return True

    def make_request(self, method: RPCEndpoint, params: Sequence[Any]) -> RPCResponse:
        """Answer one request."""
        handler = self._methods.get(method)
        if handler is None:
            return _failure(RpcError(METHOD_NOT_FOUND, f"method not found: {method}"))
        try:
            with self.chain.lock:
                return {"jsonrpc": "2.0", "id": 1, "result": handler(*params)}
        except RpcError as error:
            return _failure(error)

    def receipts_in(self, number: int) -> list[tuple[bytes, Json]]:
        """Raw bytes and receipt of every transaction of a block, in order: as asked for one by one."""
        logs: dict[bytes, list[Json]] = {}
        for log in self.chain.index.logs(number, number):
            logs.setdefault(log[3], []).append(log_json(log))
        rows = self.chain.index.transactions_in(number)
        return [(row[3], receipt_json(row, logs.get(row[0], []))) for row in rows]

    def _header(self, block: str | int) -> BlockHeaderAPI:
        """Header of a number or tag."""
        return self.chain.head if block in NEWEST else self.chain.header(self._number(block))

    def _number(self, block: str | int) -> int:
        """Number of a number or tag."""
        if block in NEWEST:
            return int(self.chain.head.block_number)
        return 0 if block == "earliest" else to_int(block)

    def _state(self, block: str | int) -> StateAPI:
        return self.chain.state(self._header(block))

    def _fee_history(self, count: str | int, newest: str = "latest", percentiles: list[float] | None = None) -> Json:
        last = self._number(newest)
        first = max(last - to_int(count) + 1, 0)
        headers = [self.chain.header(number) for number in range(first, last + 1)]
        fees = [quantity(header.base_fee_per_gas) for header in headers]
        answer: Json = {
            "oldestBlock": quantity(first),
            "baseFeePerGas": [*fees, fees[-1]],
            "gasUsedRatio": [header.gas_used / header.gas_limit for header in headers],
        }
        if percentiles:
            answer["reward"] = [["0x0"] * len(percentiles) for _ in headers]
        return answer

    def _block_by_number(self, block: str | int, full: bool = False) -> Json | None:
        if self._number(block) > self.chain.head.block_number:
            return None
        header = self._header(block)
        hashes = [data(tx_hash) for tx_hash, _ in self.chain.index.in_block(header.block_number)]
        return block_json(header, [self._transaction(tx_hash) for tx_hash in hashes] if full else hashes)

    def _block_by_hash(self, block_hash: str, full: bool = False) -> Json | None:
        number = self.chain.index.number_of(to_bytes(block_hash))
        return None if number is None else self._block_by_number(number, full)

    def _transaction(self, tx_hash: str) -> Json | None:
        wanted = to_bytes(tx_hash)
        row = self.chain.index.transaction(wanted)
        if row:
            raw, place = row[3], (row[1], row[12], row[2], row[10])
            return transaction_json(self.chain.decode(raw), raw, self.chain.chain_id, place)
        for waiting, raw in self.chain.index.pending():
            if waiting == wanted:
                return transaction_json(self.chain.decode(raw), raw, self.chain.chain_id, None)
        return None

    def _receipt(self, tx_hash: str) -> Json | None:
        row = self.chain.index.transaction(to_bytes(tx_hash))
        if not row:
            return None
        logs = [log_json(log) for log in self.chain.index.logs(row[1], row[1]) if log[3] == row[0]]
        return receipt_json(row, logs)

    def _logs(self, wanted: Json) -> list[Json]:
        if "blockHash" in wanted:
            number = self.chain.index.number_of(to_bytes(wanted["blockHash"]))
            if number is None:
                return []
            first = last = number
        else:
            first = self._number(wanted.get("fromBlock", "latest"))
            last = self._number(wanted.get("toBlock", "latest"))
        addresses = wanted.get("address") or []
        addresses = [addresses] if isinstance(addresses, str) else addresses
        chosen = LogFilter.of(addresses, wanted.get("topics") or [])
        return [log_json(row) for row in self.chain.index.logs(first, last) if chosen.passes(row)]

    def _nonce(self, account: str, block: str | int = "latest") -> str:
        address = to_bytes(account)
        nonce = self._state(block).get_nonce(address)
        if block == "pending":
            for _, raw in self.chain.index.pending():
                waiting = self.chain.decode(raw)
                nonce += waiting.sender == address and waiting.nonce == nonce
        return quantity(nonce)

    def _storage(self, account: str, slot: str | int, block: str | int = "latest") -> str:
        return data(self._state(block).get_storage(to_bytes(account), to_int(slot)).to_bytes(32, "big"))

    def _call(self, call: Json, block: str | int = "latest", *_: object) -> str:
        computation, _gas = execute(self.chain.vm(free_of_charge(self._header(block))), call)
        raise_on_error(computation)
        return data(computation.output)

    def _estimate(self, call: Json, *_: object) -> str:
        header = free_of_charge(self.chain.head)
        return quantity(estimate(lambda: self.chain.vm(header), call))

    def _mine(self, timestamp: str | int | None = None) -> str:
        self.chain.mine(None if timestamp is None else to_int(timestamp))
        return "0x0"

    def _set_time(self, timestamp: str | int) -> str:
        self.chain.set_next_timestamp(to_int(timestamp))
        return quantity(to_int(timestamp))

    def _set_automine(self, on: bool) -> bool:
        self.chain.automine = on
        return True


def _failure(error: RpcError) -> RPCResponse:
    """Answer that reports an error."""
    if error.data is None:
        return {"jsonrpc": "2.0", "id": 1, "error": {"code": error.code, "message": str(error)}}
    return {"jsonrpc": "2.0", "id": 1, "error": {"code": error.code, "message": str(error), "data": error.data}}
