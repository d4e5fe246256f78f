"""Go on after another program used a key of ours, or a reorganisation took back what was final.

Both are only mended where nothing can happen twice: a transaction gets another nonce when one of somebody else, which
does something else, holds its own for good; and what was taken back is sent again with the same bytes.
"""

from __future__ import annotations

from dataclasses import replace

from transactive.chain import trouble
from transactive.chain.nodes.nodes import Json, Queued, RpcNode
from transactive.chain.nodes.outbox import FinishedStep, Outbox
from transactive.chain.nodes.remote import Patience
from transactive.chain.nodes.sending import Sender, fees_of, nonce_of

WITH_TRANSACTIONS = True
"""Second parameter of eth_getBlockByNumber: whole transactions."""
LOOKED_BACK = 4096
"""Blocks in which the transaction that took a nonce is looked for."""


class Recovery:
    """What is done for the steps of one node."""

    def __init__(
        self, node: RpcNode, outbox: Outbox, sender: Sender, place: str, patience: Patience, confirmations: int
    ) -> None:
        self._node, self._outbox, self._sender, self._place = node, outbox, sender, place
        self._patience, self._confirmations = patience, confirmations

    # -- nonces -----------------------------------------------------------------------------------

    def align(self, queue: list[Queued], step: int) -> None:
        """Give the calls of a repeated step the nonces that they were signed with; those after them follow."""
        following: dict[str, int] = {}
        for position, queued in enumerate(queue):
            who, versions = queued.sender.address, self._outbox.signed(step, position)
            nonce = nonce_of(versions[-1]) if versions else following.get(who, queued.nonce)
            following[who] = nonce + 1
            queue[position] = replace(queued, nonce=nonce)

    def renumber(self, queue: list[Queued], position: int, step: int, chain_id: int) -> bool:
        """Give a call, and those after it that are not signed yet, the next free nonces. False if it is mined.

        Waits until the foreign transaction is as deep as ours have to be. Raises NonceTaken where a contract's address
        hangs on the nonce, where the other did the very same, and where it cannot be found.
        """
        queued = queue[position]
        who = queued.sender.address
        if any(later.to is None and later.sender.address == who for later in queue[position:]):
            raise trouble.nonce_of_a_contract_taken(queued.kind, queued.nonce, who)
        if not self._is_taken(queued, step, position):
            return False
        taker = self._taker(queued)
        if taker is None or (
            (taker["to"] or "").lower() == (queued.to or "").lower() and taker["input"] == queued.data
        ):
            raise trouble.done_by_another(queued.kind, queued.nonce, who, None if taker is None else taker["hash"])
        following = self._node.number("eth_getTransactionCount", who, "pending")
        for later in range(position, len(queue)):
            if queue[later].sender.address != who or (later > position and self._outbox.signed(step, later)):
                continue
            queue[later] = replace(queue[later], nonce=following)
            following += 1
        if versions := self._outbox.signed(step, position):
            tip, max_fee, gas = fees_of(versions[-1])
            self._outbox.keep(step, position, queue[position].sign(chain_id, gas, max_fee, tip))
        trouble.signed_anew(queued.kind, who, queued.nonce, queue[position].nonce)
        return True

    def _is_taken(self, queued: Queued, step: int, position: int) -> bool:
        """Whether a nonce is used for good by somebody else; waits until that is certain."""
        who = queued.sender.address
        for _ in self._patience.looks():
            if self._sender.mined(step, position):
                return False
            deep = int(self._node.block()["number"]) - self._confirmations
            if deep >= 0 and self._node.number("eth_getTransactionCount", who, hex(deep)) > queued.nonce:
                return True
        return False

    def _taker(self, queued: Queued) -> Json | None:
        """Transaction that used a call's nonce, None if it is not among the newest blocks."""
        who, high = queued.sender.address, int(self._node.block()["number"])
        low = max(0, high - LOOKED_BACK)
        while low < high:
            middle = (low + high) // 2
            if self._node.number("eth_getTransactionCount", who, hex(middle)) > queued.nonce:
                high = middle
            else:
                low = middle + 1
        block = self._node.ask("eth_getBlockByNumber", hex(low), WITH_TRANSACTIONS)
        for transaction in block["transactions"]:
            if transaction["from"].lower() == who.lower() and int(transaction["nonce"], 16) == queued.nonce:
                return dict(transaction)
        return None

    # -- reorganisations --------------------------------------------------------------------------

    def find_again(self, step: int, was: FinishedStep) -> Json:
        """Block that holds a finished step now that the chain was reorganised; what was lost is sent again.

        Raises ChainError if the chain is another, or the step is too long ago to be sent again.
        """
        self.check_same_chain(was)
        if not self._outbox.holds(step):
            raise trouble.reorganised_too_deep(self._place, was.number)
        for _ in self._patience.looks():
            self._sender.send_lost(self._outbox.kept())
            receipts = [self._sender.mined(step, position) for position in range(self._outbox.positions(step))]
            numbers = [int(receipt["blockNumber"], 16) for receipt in receipts if receipt]
            newest = int(self._node.block()["number"])
            if len(numbers) == len(receipts) and newest - max(numbers) >= self._confirmations:
                found = self._node.block(max(numbers))
                moved = FinishedStep(found["number"], bytes.fromhex(found["hash"][2:]), found["timestamp"])
                self._outbox.move(step, moved)
                return found
        raise trouble.not_final(f"the step at block {was.number}", self._patience.final_seconds, self._place)

    def check_same_chain(self, was: FinishedStep) -> None:
        """Raise ChainError unless the first block that this run saw is still there."""
        oldest = self._outbox.oldest()
        header = oldest and self._node.ask("eth_getBlockByNumber", hex(oldest.number), not WITH_TRANSACTIONS)
        if not oldest or not header or header["hash"] != "0x" + oldest.hash.hex():
            raise trouble.begun_anew(self._place, was.number)
