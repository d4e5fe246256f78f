"""Bring signed transactions onto a chain, each once, whatever the connection does.

A transaction that may have arrived is sent again as it is: the same bytes have the same hash, and a nonce counts once.
Only its fees are ever changed, under the same nonce, so that at most one version is mined; and its nonce once a
transaction of somebody else has taken that for good.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import rlp
from eth_account import Account
from eth_utils.crypto import keccak

from transactive.chain import trouble
from transactive.chain.nodes.nodes import Json, Queued, RpcNode
from transactive.chain.nodes.outbox import Outbox
from transactive.chain.nodes.remote import Patience
from transactive.core.errors import ChainError, NodeUnreachable

BUMPS = 3
"""How often a fee that the node finds too low is raised."""


class Sender:
    """Sends the transactions of a step and waits for them."""

    def __init__(self, node: RpcNode, outbox: Outbox, place: str, patience: Patience) -> None:
        self._node, self._outbox, self._place, self._patience = node, outbox, place, patience

    def send(self, raw: bytes, queued: Queued) -> None:
        """Hand a transaction to the node until it is known there.

        Raises Underpriced, NonceTaken; ChainError if the node refuses it, NodeUnreachable if it is not known to have
        arrived.
        """
        for pause in (*self._patience.pauses(), None):
            try:
                self._node.ask("eth_sendRawTransaction", "0x" + raw.hex())
            except NodeUnreachable:
                if self.is_known(raw):
                    return
                if pause is None:
                    raise
            except ChainError as error:
                if self.is_known(raw):  # it had arrived before, and may even be mined
                    return
                raise self._explained(error, queued) from error
            else:
                return
            time.sleep(pause or 0)

    def is_known(self, raw: bytes) -> bool:
        """Whether the node has the transaction, waiting or mined."""
        tx_hash = hash_of(raw)
        return bool(self._node.ask("eth_getTransactionByHash", tx_hash) or self._node.receipt(tx_hash))

    def _explained(self, error: ChainError, queued: Queued) -> ChainError:
        """The node's refusal in words that say what to do."""
        who = queued.sender.address
        coins = self._node.number("eth_getBalance", who, "latest")
        return trouble.refused(self._place, queued.kind, queued.nonce, who, coins, error)

    def wait(self, step: int, queue: list[Queued], position: int, confirmations: int) -> Json:
        """Receipt of a transaction of a step, `confirmations` blocks deep. Raises ChainError if it does not come.

        What a reorganisation put out of the chain, or the node lost, is sent again, with what was before it: of this
        step, and of the steps before it, without which its nonce has no turn. Raises NonceTaken.
        """
        for _ in self._patience.looks():
            receipt = self.mined(step, position)
            if receipt and (not confirmations or self._depth(receipt) >= confirmations):
                return receipt
            if receipt is None:
                self._fill_gap(queue[position])
                if not any(self.is_known(raw) for raw in self._outbox.signed(step, position)):
                    for earlier in range(position + 1):
                        self.send(self._outbox.signed(step, earlier)[-1], queue[earlier])
        raise trouble.not_final(queue[position].kind, self._patience.final_seconds, self._place)

    def _fill_gap(self, queued: Queued) -> None:
        """Send again what the chain has lost of earlier steps of a sender, if a transaction's nonce waits for it."""
        next_nonce = self._node.number("eth_getTransactionCount", queued.sender.address, "latest")
        if next_nonce < queued.nonce:
            lost = [raw for raw in self._outbox.kept() if next_nonce <= nonce_of(raw) < queued.nonce]
            self.send_lost([raw for raw in lost if Account.recover_transaction(raw) == queued.sender.address])

    def send_lost(self, raws: Sequence[bytes]) -> None:
        """Send again those of some signed transactions that the node does not know, and say so."""
        unknown = [raw for raw in raws if not self.is_known(raw)]
        for raw in unknown:
            self._node.ask("eth_sendRawTransaction", "0x" + raw.hex())
        if unknown:
            trouble.sent_again(len(unknown), self._place)

    def mined(self, step: int, position: int) -> Json | None:
        """Receipt of a transaction of a step, if a version of it is mined."""
        receipts = (self._node.receipt(hash_of(raw)) for raw in self._outbox.signed(step, position))
        return next((receipt for receipt in receipts if receipt), None)

    def _depth(self, receipt: Json) -> int:
        """Blocks on top of the one that holds a transaction."""
        return int(self._node.block()["number"]) - int(receipt["blockNumber"], 16)


def hash_of(raw: bytes) -> str:
    """Hash of a raw transaction, 0x-hex."""
    return "0x" + keccak(raw).hex()


def check_same(raw: bytes, queued: Queued) -> None:
    """Raise ChainError unless a kept transaction does what is queued now: only fees may differ."""
    _chain, nonce, _tip, _fee, _gas, to, value, data = rlp.decode(raw[1:])[:8]
    kept = (int.from_bytes(nonce, "big"), to.hex(), int.from_bytes(value, "big"), "0x" + data.hex())
    wanted = (queued.nonce, (queued.to or "").removeprefix("0x").lower(), queued.value, queued.data.lower())
    if kept != wanted or Account.recover_transaction(raw) != queued.sender.address:
        raise trouble.not_what_was_signed(queued.kind)


def nonce_of(raw: bytes) -> int:
    """Nonce of a raw type-2 transaction."""
    return int.from_bytes(rlp.decode(raw[1:])[1], "big")


def fees_of(raw: bytes) -> tuple[int, int, int]:
    """Tip, highest fee [wei per gas] and gas limit of a raw type-2 transaction."""
    tip, max_fee, gas = (int.from_bytes(field, "big") for field in rlp.decode(raw[1:])[2:5])
    return tip, max_fee, gas
