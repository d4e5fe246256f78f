"""The one client of all chains: web3.py, local signing, own nonces; the URL chooses the node.

`embedded:PATH` is a chain in a file or a state folder, which takes the block times it is given. `http(s)://`,
`ws(s)://` and `ipc:` are any Ethereum-compatible node, which keeps its own time; a development node is asked to
follow ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError, Web3Exception

from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.nodes.bound import bound, construction
from transactive.chain.nodes.calls import MOST_WORDS, CallData
from transactive.chain.nodes.events import Cursor, read_logs
from transactive.chain.nodes.nodes import EmbeddedNode, Json, Queued
from transactive.chain.nodes.outbox import Outbox
from transactive.chain.nodes.receipts import (
    Block,
    Receipt,
    block_of,
    bytes_of_hex,
    contract_address,
    gas_of_receipt,
    why_failed,
)
from transactive.chain.nodes.remote import Patience, provider_for
from transactive.chain.nodes.remote_node import RemoteNode
from transactive.chain.nodes.urls import embedded_path, is_embedded
from transactive.chain.releases import version_of
from transactive.chain.revert_reasons import UNKNOWN, reason_of
from transactive.core.errors import ChainError, ContractRevert

ETHER = 10**18
START_BALANCE = 10**6 * ETHER
PATIENT = Patience()


class ChainClient:
    """Queues signed calls and sends them together; `open` makes one."""

    def __init__(self, node: EmbeddedNode | RemoteNode) -> None:
        self._node = node
        self._web3 = Web3(node.provider, middleware=[])
        self._calls = CallData(self._web3)
        self._queue: list[Queued] = []
        self._nonces: dict[str, int] = {}
        self.chain_id = node.number("eth_chainId")
        self.first_block = 0
        """Number of a block before which there is nothing of ours to look for."""

    @classmethod
    def open(
        cls,
        url: str,
        *,
        genesis_time: int = 1,
        alloc: Iterable[str] = (),
        outbox: str | Path = ":memory:",
        patience: Patience | None = None,
    ) -> ChainClient:
        """Client for a URL. Raises ChainError if the node does not answer, StateError for an unusable file.

        A new embedded chain begins at `genesis_time` [Unix s] and gives the addresses in `alloc` ether for gas; a
        development node is asked to do so where an address has none. outbox: file in which the client of a node
        elsewhere keeps what it signed, so that an interrupted run goes on without sending anything twice.
        """
        if is_embedded(url):
            balances = dict.fromkeys(alloc, START_BALANCE)
            chain = EmbeddedChain(embedded_path(url), alloc=balances, genesis_time=genesis_time)
            return cls(EmbeddedNode(EmbeddedProvider(chain)))
        provider = provider_for(url, patience or PATIENT)
        with ExitStack() as opened:  # closed again if the node does not answer
            box = opened.enter_context(closing(Outbox(outbox)))
            node = RemoteNode(provider, url, box)
            opened.callback(node.close)
            node.prepare(alloc, START_BALANCE, genesis_time)
            client = cls(node)
            opened.pop_all()
        return client

    def close(self) -> None:
        """Let go of the file or connection."""
        self._node.close()

    @property
    def is_embedded(self) -> bool:
        """Whether the chain is a file of this program."""
        return isinstance(self._node, EmbeddedNode)

    @property
    def is_interrupted(self) -> bool:
        """Whether a step was interrupted while it was sent: the same calls have to be queued again, all of them."""
        return self._node.is_interrupted

    @property
    def height(self) -> int:
        """Number of the newest block."""
        return self._node.number("eth_blockNumber")

    @property
    def identity(self) -> str:
        """What a chain is known by, wherever it is served: its number and the hash of its first block."""
        return f"{self.chain_id} {self._node.block(0)['hash']}"

    def ask(self, method: str, *params: Any) -> Any:  # noqa: ANN401 - as the method says
        """What the node answers to a method of JSON-RPC. Raises ChainError."""
        return self._node.ask(method, *params)

    @property
    def head_hash(self) -> bytes:
        """Hash of the newest block."""
        return bytes_of_hex(self._node.block()["hash"])

    @property
    def head_timestamp(self) -> int:
        """Time of the newest block [Unix s]."""
        return int(self._node.block()["timestamp"])

    def hash_of(self, number: int) -> bytes:
        """Hash of a block."""
        return bytes_of_hex(self._node.block(number)["hash"])

    def time_of(self, number: int) -> int:
        """Time of a block [Unix s]."""
        return int(self._node.block(number)["timestamp"])

    def is_newest(self, number: int) -> bool:
        """Whether nothing of ours was put on chain after block `number`; others may have added blocks."""
        return self._node.is_newest(number)

    def contract(self, name: str, address: str) -> Contract:
        """Contract of ours at an address, of the released version that its code is. Raises ChainError without code."""
        code = self.code(address)
        if not code:
            raise ChainError(f"no contract at {address} on chain {self.chain_id}; check the chain's URL or file")
        return bound(name, version_of(name, code), to_checksum_address(address))

    def queued_contract(self, name: str, address: str) -> Contract:
        """Contract of this version at an address, whose deployment may still be queued."""
        return bound(name, "", to_checksum_address(address))

    def code(self, address: str) -> bytes:
        """Code at an address, empty if there is none."""
        return bytes_of_hex(self._node.ask("eth_getCode", address, "latest"))

    def coins(self, address: str) -> int:
        """What an address holds of the chain's own coin, which pays for gas [wei]."""
        return self._node.number("eth_getBalance", address, "latest")

    def receipt(self, tx_hash: str) -> Json:
        """Receipt of a mined transaction. Raises ChainError if there is none."""
        found = self._node.receipt(tx_hash)
        if found is None:
            raise ChainError(f"transaction {tx_hash} is not on chain {self.chain_id}")
        return found

    def run_code(self, code: str) -> None:
        """Let the node execute init code (0x-hex) without keeping anything. Raises ChainError if it fails."""
        self._node.ask("eth_call", {"data": code}, "latest")

    def gas_price(self) -> int:
        """What gas costs now, as the node suggests [wei per gas]."""
        return self._node.number("eth_gasPrice")

    def deploy(self, sender: LocalAccount, name: str, *arguments: Any) -> Contract:  # noqa: ANN401 - as the ABI says
        """Queue the deployment of one of our contracts; the contract exists after `block`."""
        address = contract_address(sender.address, self._peek_nonce(sender.address))
        self._enqueue(sender, None, construction(name, *arguments), f"deploy {name}")
        return self.queued_contract(name, address)

    def send(
        self,
        sender: LocalAccount,
        contract: Contract,
        function: str,
        *arguments: Any,  # noqa: ANN401 - as the ABI says
        value: int = 0,
    ) -> None:
        """Queue a call signed by `sender`, with `value` of the chain's own coin [wei]; `block` sends it."""
        self._enqueue(sender, contract.address, self._calls.of(contract, function, arguments), function, value)

    def pay(self, sender: LocalAccount, address: str, wei: int) -> None:
        """Queue a payment of the chain's own coin [wei]; `block` sends it."""
        self._enqueue(sender, to_checksum_address(address), "0x", "pay", wei)

    def read(self, contract: Contract, function: str, *arguments: Any, block: int | None = None) -> Any:  # noqa: ANN401 - as the ABI says
        """Result of a view, at the newest block or the one with a number. Raises ContractRevert with its reason."""
        asked: Any = {"to": contract.address, "data": self._calls.of(contract, function, arguments)}
        try:
            answer = bytes(self._web3.eth.call(asked, block))
        except ContractLogicError as error:
            raise ContractRevert(reason_of(str(error)) or f"{function} {UNKNOWN}") from error
        except Web3Exception as error:
            raise ChainError(f"{function} could not be read: {error}") from error
        return self._calls.result(contract, function, len(arguments), answer)

    def read_words(self, contract: Contract, function: str, count: int, block: int | None = None) -> list[int]:
        """Results of a view for 0, 1, …, count − 1, a word each, all at one block; few requests for many.

        block: its number, without one the newest. Raises ChainError if the view fails for one of them.
        """
        at, found = hex(self.height if block is None else block), b""
        for first in range(0, count, MOST_WORDS):
            code = self._calls.reader(contract, function, first, min(first + MOST_WORDS, count))
            found += bytes_of_hex(self._node.ask("eth_call", {"data": code}, at))
        return [int.from_bytes(found[place : place + 32], "big") for place in range(0, len(found), 32)]

    def block(self, timestamp: int) -> Block:
        """Send all that is queued and wait until it is on chain; embedded, in one block at `timestamp` [Unix s].

        What does not fit into that block follows in blocks one second later each. Raises ContractRevert with the reason
        of the first call that failed (the others stand), ChainError if the node refused or cannot be reached: then the
        same calls at the same time may be queued again, and nothing is sent twice. The queue is empty after.
        """
        queue, self._queue = self._queue, []
        try:
            receipts = self._node.run(queue, timestamp, self.chain_id)
        except BaseException:
            self._nonces.clear()
            raise
        self._nonces |= {queued.sender.address: queued.nonce + 1 for queued in queue}
        for queued, receipt in zip(queue, receipts, strict=True):
            if receipt["status"] != "0x1":
                raise ContractRevert(why_failed(self._node, queued, receipt))
        made = tuple(
            Receipt(queued.kind, bytes_of_hex(r["transactionHash"]), int(r["blockNumber"], 16), gas_of_receipt(r))
            for queued, r in zip(queue, receipts, strict=True)
        )
        return block_of(self._node.block(made[-1].block if made else "latest"), made)

    def wait_for_window(self, timestamp: int) -> None:
        """Wait until a chain that keeps its own time is past `timestamp` [Unix s]; no other makes anybody wait.

        Raises ChainError if the chain makes no blocks meanwhile.
        """
        if isinstance(self._node, RemoteNode):
            self._node.wait_for_window(timestamp)

    def block_at(self, timestamp: int) -> Block | None:
        """Block in which the step at this time [Unix s] ended, without its receipts; None if it is not done.

        Raises ChainError if the chain is beyond without such a block, or has lost it.
        """
        found = self._node.find(timestamp)
        return None if found is None else block_of(found, ())

    def forget(self) -> None:
        """Drop what is queued and read nonces anew: after a revert of the chain itself."""
        self._queue.clear()
        self._nonces.clear()
        self._node.forget()

    def logs(
        self, contract: Contract, first: int = 0, last: int | None = None, topics: Sequence[str | list[str]] = ()
    ) -> list[Json]:
        """Raw logs of a contract in blocks `first` to `last`, oldest first; of all, or with the wanted topics."""
        end = self.height if last is None else last
        return read_logs(self._node, [contract.address], max(first, self.first_block), end, topics)

    def cursor(self, contracts: Iterable[Contract], first: int) -> Cursor:
        """Reader of the contracts' events from block `first` on, which notices reorganisations."""
        return Cursor(self._node, tuple(contract.address for contract in contracts), first)

    def gas_of(self, tx_hash: str) -> int:
        """Gas that a mined transaction used."""
        return gas_of_receipt(self._node.ask("eth_getTransactionReceipt", tx_hash))

    def gas_of_all(self, tx_hashes: Sequence[str]) -> list[int]:
        """Gas that each of many mined transactions used; of an embedded chain at one look."""
        if not isinstance(self._node, EmbeddedNode):
            return [self.gas_of(each) for each in tx_hashes]
        known = self._node.provider.chain.index.gas_used()
        return [known[bytes.fromhex(each.removeprefix("0x"))] for each in tx_hashes]

    def input_of(self, tx_hash: str) -> str:
        """Call data of a transaction, 0x-hex."""
        return str(self._node.ask("eth_getTransactionByHash", tx_hash)["input"])

    def _peek_nonce(self, address: str) -> int:
        """Next nonce of an account: asked once, counted from then on."""
        if address not in self._nonces:
            self._nonces[address] = self._node.next_nonce(address)
        return self._nonces[address]

    def _enqueue(self, sender: LocalAccount, to: str | None, data: str, kind: str, value: int = 0) -> None:
        nonce = self._peek_nonce(sender.address)
        self._nonces[sender.address] = nonce + 1
        self._queue.append(Queued(sender, nonce, to, data, kind, value))
