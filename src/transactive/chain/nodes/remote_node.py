"""A node behind JSON-RPC: what is queued is signed, kept, sent and waited for.

A development node (`keys.DEVELOPMENT_CHAINS`) is asked to follow our time and to mine a step in one block, as the
embedded chain does. Any other keeps its own time and is paid for gas; a step is final there some blocks later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from transactive.chain import trouble
from transactive.chain.keys.keys import DEVELOPMENT_CHAINS
from transactive.chain.nodes.mining import DevelopmentMiner
from transactive.chain.nodes.nodes import CALL_GAS, HASHES_ONLY, Json, Queued, RpcNode, block_with_time
from transactive.chain.nodes.older_chain import put_back
from transactive.chain.nodes.outbox import FinishedStep, Outbox
from transactive.chain.nodes.recovery import Recovery
from transactive.chain.nodes.remote import PatientProvider
from transactive.chain.nodes.sending import BUMPS, Sender, check_same, fees_of
from transactive.chain.nodes.urls import shown
from transactive.chain.revert_reasons import UNKNOWN, reason_of
from transactive.chain.trouble import NonceTaken, Underpriced
from transactive.core.errors import ChainError, ContractRevert, NodeUnreachable
from transactive.core.work import may_end_here

CONFIRMATIONS = 3
"""Blocks on top of a transaction before it counts, where blocks can be reorganised."""


class RemoteNode(RpcNode):
    """One node, by URL."""

    def __init__(self, provider: PatientProvider, url: str, outbox: Outbox) -> None:
        super().__init__(provider)
        self.place = shown(url)
        self._patient = provider
        self._outbox = outbox
        self._sender = Sender(self, outbox, self.place, provider.patience)
        self._chain_id = self.number("eth_chainId")
        self._free = self._chain_id in DEVELOPMENT_CHAINS
        self._confirmations = 0 if self._free else CONFIRMATIONS
        self._recovery = Recovery(self, outbox, self._sender, self.place, provider.patience, self._confirmations)
        self._miner = DevelopmentMiner(self, self.place, provider.patience)

    def close(self) -> None:
        """Give a development node its own mining back, and close the connection."""
        try:
            self._miner.give_back()
        except ChainError:
            pass  # it is gone: there is nothing to give back
        finally:
            self._outbox.close()
            self._patient.close()

    def prepare(self, addresses: Iterable[str], wei: int, genesis_time: int) -> None:
        """Give those without ether on a development node some, and let a new one begin at `genesis_time` [Unix s].

        Raises ChainError if it cannot.
        """
        if self._free:
            self._miner.prepare(addresses, wei, genesis_time)

    @property
    def is_interrupted(self) -> bool:
        """Whether a step was signed and not known to be done."""
        return self._outbox.unfinished() is not None

    def next_nonce(self, address: str) -> int:
        """Nonce of the next transaction of an account: that of the interrupted step, if there is one to repeat."""
        interrupted = self._outbox.unfinished()
        first = {} if interrupted is None else self._outbox.first_nonces(interrupted)
        return first[address] if address in first else self.number("eth_getTransactionCount", address, "pending")

    def is_newest(self, number: int) -> bool:
        """Whether nothing of ours was put on chain after block `number`."""
        newest = self._outbox.newest()
        step = None if newest is None else self._outbox.finished(newest)
        return (step.number if step else self.block()["number"]) <= number

    def find(self, timestamp: int) -> Json | None:
        """Block with which the step at `timestamp` ended; None if it is not done.

        What a reorganisation took back is sent again. Raises ChainError if the chain is another.
        """
        if timestamp == self._outbox.unfinished():
            return None
        step = self._outbox.finished(timestamp)
        if step is None:
            newest = self._outbox.newest()
            looked_up = self._free and newest is None  # without a memory of ours, a chain that follows our time is one
            return block_with_time(self, timestamp) if looked_up else None
        found: Json | None = self.ask("eth_getBlockByNumber", hex(step.number), HASHES_ONLY)
        if found is None or found["hash"] != "0x" + step.hash.hex():
            if self._free and found is None and self._miner.takes_over():
                self._recovery.check_same_chain(step)
                put_back(self, self._outbox, self._sender, self.place, self._miner.mine)
                return self.find(timestamp)
            return self._recovery.find_again(timestamp, step)
        return self.block(step.number)

    def forget(self) -> None:
        """Drop an interrupted step: after a revert of the chain itself."""
        interrupted = self._outbox.unfinished()
        if interrupted is not None:
            self._outbox.drop(interrupted)

    def run(self, queue: list[Queued], timestamp: int, chain_id: int) -> list[Json]:
        """Bring the queue on chain, in order, and wait. Receipts in its order. Raises ContractRevert, ChainError.

        The queue has the nonces that were used in the end.
        """
        self._check(chain_id, timestamp)
        first: dict[str, int] = {}
        for queued in queue:
            first.setdefault(queued.sender.address, queued.nonce)
        self._outbox.begin(timestamp, first)
        self._recovery.align(queue, timestamp)
        try:
            if self._free and self._follow(timestamp):
                receipts = self._in_one_block(queue, timestamp)
            else:
                receipts = self._one_by_one(queue, timestamp)
        except ContractRevert:
            self._outbox.drop(timestamp)  # what was sent before it is mined, and it will never go through
            raise
        except ChainError:
            if not self._outbox.holds(timestamp):
                self._outbox.drop(timestamp)
            raise
        end = self.block(int(receipts[-1]["blockNumber"], 16) if receipts else "latest")
        self._outbox.finish(timestamp, FinishedStep(end["number"], bytes.fromhex(end["hash"][2:]), end["timestamp"]))
        return receipts

    def _check(self, chain_id: int, timestamp: int) -> None:
        """Raise ChainError if the node is on another chain than before, or another step has to be repeated first."""
        now = self.number("eth_chainId")
        if now != chain_id:
            raise trouble.other_chain(self.place, chain_id, now)
        interrupted = self._outbox.unfinished()
        if interrupted is not None and interrupted != timestamp:
            raise trouble.interrupted_before(interrupted)

    # -- whatever others do with our keys ----------------------------------------------------------

    def _despite_others(self, queue: list[Queued], position: int, timestamp: int, send: Callable[[], None]) -> None:
        """Send a call; with the next nonce where somebody else took its own for good."""
        for _ in range(BUMPS):
            try:
                send()
            except NonceTaken:
                if not self._recovery.renumber(queue, position, timestamp, self._chain_id):
                    return
            else:
                return
        send()

    def _wait(self, timestamp: int, queue: list[Queued], position: int, confirmations: int) -> Json:
        """Receipt of a call that was sent, `confirmations` blocks deep; see `Sender.wait`."""
        try:
            return self._sender.wait(timestamp, queue, position, confirmations)
        except NonceTaken:
            self._recovery.renumber(queue, position, timestamp, self._chain_id)
            return self._sender.wait(timestamp, queue, position, confirmations)

    # -- a development node ---------------------------------------------------------------------

    def _follow(self, timestamp: int) -> bool:
        """Take over the mining of a development node. False if it keeps its own; ChainError if its time is ahead."""
        if not self._miner.takes_over():
            return False
        newest = self.block()
        if newest["number"] > 0 and newest["timestamp"] >= timestamp and not self._outbox.holds(timestamp):
            raise trouble.beyond(self.place, newest["timestamp"], timestamp)
        return True

    def _in_one_block(self, queue: list[Queued], timestamp: int) -> list[Json]:
        """Send all, then mine: at `timestamp`, and one second later each time what did not fit."""
        base = int(self.block().get("baseFeePerGas", "0x0"), 16)
        for position in range(len(queue)):
            self._despite_others(queue, position, timestamp, partial(self._send_free, queue, position, timestamp, base))
        missing = [position for position in range(len(queue)) if not self._sender.mined(timestamp, position)]
        if missing or not queue:
            self._miner.mine(timestamp)
        for _ in range(len(queue)):
            missing = [position for position in missing if not self._sender.mined(timestamp, position)]
            if not missing:
                break
            self._miner.mine(self.block()["timestamp"] + 1)
        return [self._wait(timestamp, queue, position, 0) for position in range(len(queue))]

    def _send_free(self, queue: list[Queued], position: int, timestamp: int, base: int) -> None:
        """Sign and send one call where gas costs nothing; base: base fee now [wei per gas]."""
        tip = len(queue) - position  # a node that sorts by tip keeps the order
        self._sender.send(self._kept(queue, position, timestamp, CALL_GAS, 2 * base + tip, tip), queue[position])

    # -- any other node -------------------------------------------------------------------------

    def _one_by_one(self, queue: list[Queued], timestamp: int) -> list[Json]:
        """Send in order once the node is at `timestamp`; each call is estimated when those before it are known."""
        self._reach(timestamp)
        for position in range(len(queue)):
            self._despite_others(queue, position, timestamp, partial(self._send, queue, position, timestamp))
            if queue[position].to is None:  # calls to a contract that does not exist yet would be estimated far too low
                self._wait(timestamp, queue, position, 0)
        for position in range(len(queue)):
            self._wait(timestamp, queue, position, self._confirmations)
        # once more: while the last was waited for, a deep reorganisation may have moved the first
        return [self._wait(timestamp, queue, position, self._confirmations) for position in range(len(queue))]

    def _send(self, queue: list[Queued], position: int, timestamp: int) -> None:
        """Sign and send one call; a fee that the node finds too low is raised, under the same nonce."""
        queued = queue[position]
        if self._outbox.signed(timestamp, position):
            raw = self._kept(queue, position, timestamp, 0, 0, 0)
            if not self._sender.mined(timestamp, position) and self._fees()[0] > fees_of(raw)[1]:
                raw = self._dearer(raw, queued, timestamp, position)  # it waits, and gas has become dearer since
        else:
            max_fee, tip = self._fees()
            gas = CALL_GAS if self._free else self._estimate(queue, position, timestamp)
            raw = self._kept(queue, position, timestamp, gas, max_fee, tip)
        for left in reversed(range(BUMPS + 1)):
            try:
                self._sender.send(raw, queued)
            except Underpriced:
                if not left:
                    raise
                raw = self._dearer(raw, queued, timestamp, position)
            else:
                return

    def _dearer(self, raw: bytes, queued: Queued, timestamp: int, position: int) -> bytes:
        """The same transaction with fees a quarter higher, or what the node asks for now if that is more."""
        tip, max_fee, gas = fees_of(raw)
        now, suggested = self._fees()
        higher = (max(now, max_fee * 5 // 4 + 1), max(suggested, tip * 5 // 4 + 1))
        raw = queued.sign(self._chain_id, gas, *higher)
        self._outbox.keep(timestamp, position, raw)
        return raw

    def _kept(self, queue: list[Queued], position: int, timestamp: int, gas: int, max_fee: int, tip: int) -> bytes:
        """Signed transaction of a step: as it was kept before, or newly signed and kept. Raises ChainError."""
        versions = self._outbox.signed(timestamp, position)
        if versions:
            check_same(versions[-1], queue[position])
            return versions[-1]
        raw = queue[position].sign(self._chain_id, gas, max_fee, tip)
        self._outbox.keep(timestamp, position, raw)
        return raw

    def _reach(self, timestamp: int) -> None:
        """Wait until the newest block, whose time estimates see, is at `timestamp`. Raises ChainError in vain."""
        for _ in self._patient.patience.looks():
            if self.block()["timestamp"] >= timestamp:
                return
        raise trouble.behind(self.place, timestamp)

    def wait_for_window(self, timestamp: int) -> None:
        """Wait until the newest block is at `timestamp`, saying so. Raises ChainError if no block comes for long."""
        newest = self.block()
        if self._free or newest["timestamp"] >= timestamp:
            return
        trouble.waits_for_window(self.place, timestamp)
        while newest["timestamp"] < timestamp:
            before = newest
            for _ in self._patient.patience.looks():
                may_end_here()
                newest = self.block()
                if newest["number"] > before["number"]:
                    break
            else:
                raise trouble.behind(self.place, timestamp)

    def _fees(self) -> tuple[int, int]:
        """Highest fee and tip [wei per gas]: twice the newest base fee, and what the node suggests."""
        base = int(self.block().get("baseFeePerGas", "0x0"), 16)
        tip = self.number("eth_maxPriorityFeePerGas")
        return 2 * base + tip, tip

    def _estimate(self, queue: list[Queued], position: int, timestamp: int) -> int:
        """Gas limit [gas], a quarter above the estimate; a refused one is asked again once all before it is mined."""
        queued = queue[position]
        call = {"from": queued.sender.address, "data": queued.data, "value": hex(queued.value)}
        if queued.to:
            call["to"] = queued.to
        try:
            estimate = self.number("eth_estimateGas", call)
        except NodeUnreachable:
            raise
        except ChainError:
            for earlier in range(position):
                self._wait(timestamp, queue, earlier, 0)
            try:
                estimate = self.number("eth_estimateGas", call)
            except ChainError as error:
                if "revert" not in str(error):
                    raise
                raise ContractRevert(reason_of(str(error)) or f"{queued.kind} {UNKNOWN}") from error
        return estimate * 5 // 4
