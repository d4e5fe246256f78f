"""The embedded chain: pool, blocks, snapshots.

Header fields that could vary are fixed and timestamps are explicit, so the same transactions and timestamps give the
same block hashes. A transaction that `submit` or `mine` has answered is on disk.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Any

import rlp
from eth.abc import BlockHeaderAPI, SignedTransactionAPI, StateAPI, VirtualMachineAPI
from eth.chains.base import MiningChain
from eth.consensus import NoProofConsensus
from eth.db.atomic import AtomicDB
from eth.db.schema import SchemaV1
from eth.rlp.sedes import chain_gaps
from eth.vm.forks.cancun import CancunVM
from eth.vm.forks.prague import PragueVM
from eth_utils.exceptions import ValidationError

from transactive.chain.embedded.execution import GAS_LIMIT
from transactive.chain.embedded.index import Included, Index
from transactive.chain.embedded.proofs import proof_json
from transactive.chain.embedded.recent_state import Recent, knowing
from transactive.chain.embedded.store import ChainStore, connect, transaction, usable
from transactive.chain.embedded.words import INVALID_PARAMS, REFUSED, RpcError, to_bytes
from transactive.core.proofs.keccak import lend

CHAIN_ID = 31337
RULES = {"cancun": CancunVM, "prague": PragueVM}
"""Fork rules by name; cancun is the least that our contracts need."""
NEWEST = "prague"
ALLOC = "alloc "
"""What a balance of the beginning is kept under, before its address."""


class EmbeddedChain:
    """One chain in one file, with one writer. Calls from several threads must hold `lock`."""

    def __init__(
        self,
        path: str | Path,
        *,
        chain_id: int = CHAIN_ID,
        alloc: Mapping[str, int] | None = None,
        genesis_time: int = 1,
        rules: str = NEWEST,
        clock: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        """Open `path`; if it is new, create the chain with balances `alloc` [wei] at `genesis_time` [Unix s].

        rules: name in `RULES`, for as long as the chain lives.
        """
        lend()
        self.lock = RLock()
        self.automine = True
        self._clock = clock
        self._next_timestamp: int | None = None
        self._snapshots: list[int] = []
        self._waiting: dict[bytes, SignedTransactionAPI] = {}  # of the pool, as far as they are decoded already
        self._path, self._sql = path, connect(path)
        self._store = ChainStore(self._sql)
        self.index = Index(self._sql)
        settings = self.settings()
        self.chain_id = int(settings.get("chain_id", chain_id))
        self._rules = settings.get("rules", rules)
        plain = RULES[self._rules]
        vm = plain.configure(consensus_class=NoProofConsensus, _state_class=knowing(Recent(), plain.get_state_class()))
        self._class = MiningChain.configure(__name__="Embedded", vm_configuration=((0, vm),), chain_id=self.chain_id)
        if "chain_id" in settings:
            self._load()
        else:
            with usable(path):
                self._create(alloc or {}, genesis_time)

    def _load(self) -> None:
        """Take the chain as the file has it."""
        self._chain = self._class(AtomicDB(self._store))
        self._head: BlockHeaderAPI = self._chain.get_canonical_head()

    def _create(self, alloc: Mapping[str, int], genesis_time: int) -> None:
        """Write the genesis block and what `replay` needs to write it again."""
        header = {
            "difficulty": 0,
            "gas_limit": GAS_LIMIT,
            "timestamp": genesis_time,
            "coinbase": bytes(20),
            "extra_data": b"",
            "nonce": bytes(8),
            "mix_hash": bytes(32),
        }
        state = {
            to_bytes(account): {"balance": wei, "nonce": 0, "code": b"", "storage": {}}
            for account, wei in alloc.items()
        }
        self._chain = self._class.from_genesis(AtomicDB(self._store), header, state)
        self._head = self._chain.get_canonical_head()
        settings = {"chain_id": self.chain_id, "genesis_time": genesis_time, "rules": self._rules}
        settings |= {f"{ALLOC}{account.lower()}": wei for account, wei in alloc.items()}
        with transaction(self._sql):
            self._store.write()
            self._sql.executemany("insert into meta values (?, ?)", [(k, str(v)) for k, v in settings.items()])
            self.index.add_block(self._head, [])

    def settings(self) -> dict[str, str]:
        """What the chain was created with."""
        return dict(self._sql.execute("select key, value from meta").fetchall())

    def close(self) -> None:
        """Close the file."""
        self._sql.close()

    @property
    def head(self) -> BlockHeaderAPI:
        """Newest header."""
        return self._head

    def header(self, number: int) -> BlockHeaderAPI:
        """Header by number. Raises RpcError for one that does not exist."""
        if number == self._head.block_number:
            return self._head
        if not 0 <= number < self._head.block_number:
            raise RpcError(REFUSED, "header not found")
        return self._chain.get_canonical_block_header_by_number(number)

    def vm(self, header: BlockHeaderAPI) -> VirtualMachineAPI:
        """VM on the state after a header."""
        return self._chain.get_vm(header)

    def state(self, header: BlockHeaderAPI) -> StateAPI:
        """State after a header."""
        return self.vm(header).state

    def proof(self, header: BlockHeaderAPI, address: str, places: Sequence[str]) -> dict[str, Any]:
        """Proof of an account and places of its storage in the state after a header, as eth_getProof answers."""
        return proof_json(self._store, header, address, places)

    def decode(self, raw: bytes) -> SignedTransactionAPI:
        """Transaction of its raw bytes."""
        return self._chain.get_vm(self._head).get_transaction_builder().decode(raw)

    def set_next_timestamp(self, timestamp: int) -> None:
        """Fix the header time [Unix s] of the next block. Raises RpcError unless it is after the head's."""
        if timestamp <= self._head.timestamp:
            raise RpcError(INVALID_PARAMS, f"timestamp {timestamp} is not after the last block {self._head.timestamp}")
        self._next_timestamp = timestamp

    def submit(self, raw: bytes) -> bytes:
        """Keep a signed transaction in the pool and, with automine, mine it at once. Gives its hash.

        Raises RpcError for one that could never be mined.
        """
        checked = self._check(raw, self.state(self._head))
        with transaction(self._sql):
            self.index.add_pending(checked.hash, raw)
        if self.automine:
            self.mine()
        return bytes(checked.hash)

    def _check(self, raw: bytes, state: StateAPI) -> SignedTransactionAPI:
        """Transaction of its raw bytes. Raises RpcError for one that could never be mined after the head's state."""
        try:
            checked = self.decode(raw)
            checked.validate()
            sender = checked.sender
        except Exception as error:  # rlp, signature and field errors have no common base
            raise RpcError(REFUSED, f"invalid transaction: {error}") from error
        if checked.chain_id is not None and checked.chain_id != self.chain_id:
            raise RpcError(REFUSED, "wrong chain id")
        if self.index.transaction(checked.hash):
            raise RpcError(REFUSED, "already known")
        expected, has = state.get_nonce(sender), state.get_balance(sender)
        if checked.nonce < expected:
            raise RpcError(REFUSED, f"nonce too low: next is {expected}")
        if checked.gas > GAS_LIMIT:
            raise RpcError(REFUSED, "exceeds block gas limit")
        if checked.gas < checked.intrinsic_gas:
            raise RpcError(REFUSED, "intrinsic gas too low")
        if has < checked.value + checked.gas * checked.max_fee_per_gas:
            raise RpcError(REFUSED, f"insufficient funds for gas and value: 0x{sender.hex()} has {has} wei")
        return checked

    def mine(self, timestamp: int | None = None, raws: Sequence[bytes] = ()) -> BlockHeaderAPI:
        """Put the waiting transactions and `raws`, in this order, into one block; what does not fit waits.

        `timestamp`: header time [Unix s], else the one set before or the clock's. Raises RpcError if it is not after
        the head's or a raw transaction could never be mined, StateError if another program writes to the file or the
        disk refuses.
        """
        if timestamp is not None:
            self.set_next_timestamp(timestamp)
        state = self.state(self._head)
        new = [(self._check(raw, state), raw) for raw in raws]
        when = self._next_timestamp or max(self._clock(), self._head.timestamp + 1)
        with usable(self._path):
            try:
                return self._mine(when, new)
            except BaseException:
                self._store.forget()
                self._load()
                raise

    def _mine(self, when: int, new: list[tuple[SignedTransactionAPI, bytes]]) -> BlockHeaderAPI:
        """Build a block, then write it, its index and the pool in one SQL transaction."""
        # left alone, the gas limit would shrink with every block that is less than half full
        header = self._chain.create_header_from_parent(self._head).copy(timestamp=when, gas_limit=GAS_LIMIT)
        vm = self._chain.get_vm(header)
        waiting = [(self._waiting.get(tx_hash) or self.decode(raw), raw) for tx_hash, raw in self.index.pending()]
        header, included, dropped = self._fill(vm, header, waiting + new)
        block = vm.set_block_transactions_and_withdrawals(
            vm.get_block(), header, [item.transaction for item in included], [item.receipt for item in included]
        )
        block = vm.mine_block(block).block
        self._chain.validate_block(block)
        self._chain.chaindb.persist_block(block)  # the chain's own method reads all transactions back, for nobody
        done = {bytes(sent.hash) for sent in (*dropped, *(item.transaction for item in included))}
        with transaction(self._sql):
            self._store.write()
            self.index.add_block(block.header, included)
            for sent, raw in new:
                if sent.hash not in done:
                    self.index.add_pending(sent.hash, raw)
            self.index.remove_pending(done)
        self._waiting = {bytes(sent.hash): sent for sent, _ in waiting + new if sent.hash not in done}
        self._head = block.header
        self._next_timestamp = None
        return self._head

    def _fill(
        self, vm: VirtualMachineAPI, header: BlockHeaderAPI, candidates: list[tuple[SignedTransactionAPI, bytes]]
    ) -> tuple[BlockHeaderAPI, list[Included], list[SignedTransactionAPI]]:
        """Run the transactions that can run and fit; also those that never can any more."""
        included, dropped = [], []
        for candidate, raw in candidates:
            if header.gas_used + candidate.gas > header.gas_limit:
                continue
            if candidate.nonce > vm.state.get_nonce(candidate.sender):  # waits for one before it
                continue
            try:
                receipt, computation = vm.apply_transaction(header, candidate)
            except ValidationError:
                dropped.append(candidate)
                continue
            header = vm.increment_blob_gas_used(vm.add_receipt_to_header(header, receipt), candidate)
            included.append(Included.of(candidate, raw, receipt, computation))
        return header, included, dropped

    def snapshot(self) -> int:
        """Remember the current block; the number that `revert` wants."""
        self._snapshots.append(self._head.block_number)
        return len(self._snapshots)

    def revert(self, snapshot: int) -> bool:
        """Go back to a remembered block; later blocks and the pool are forgotten. False for an unknown snapshot."""
        if not 0 < snapshot <= len(self._snapshots):
            return False
        number, last = self._snapshots[snapshot - 1], self._head.block_number
        del self._snapshots[snapshot - 1 :]
        self._store[SchemaV1.make_canonical_head_hash_lookup_key()] = self.header(number).hash
        for gone in range(number + 1, last + 1):
            del self._store[SchemaV1.make_block_number_to_hash_lookup_key(gone)]
        whole: Any = rlp.encode(((), number + 1), sedes=chain_gaps)  # headers and blocks 0 to number, no gap
        self._store[SchemaV1.make_header_chain_gaps_lookup_key()] = whole
        self._store[SchemaV1.make_chain_gaps_lookup_key()] = whole
        with transaction(self._sql):
            self._store.write()
            self.index.forget_after(number)
        self._load()
        self._next_timestamp = None
        return True
