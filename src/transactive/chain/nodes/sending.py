"""Bring signed transactions onto a chain, each once, whatever the connection does.

A transaction that may have arrived is sent again as it is: the same bytes have the same hash, and a nonce counts once.
Only its fees are ever changed, under the same nonce, so that at most one version is mined.
"""

from __future__ import annotations

import time

import rlp
from eth_account import Account
from eth_utils.crypto import keccak

from transactive.chain.nodes.nodes import Json, Queued, RpcNode
from transactive.chain.nodes.outbox import Outbox
from transactive.chain.nodes.remote import Patience
from transactive.core.errors import ChainError, NodeUnreachable

BUMPS = 3
"""How often a fee that the node finds too low is raised."""
TOO_LOW = ("underpriced", "fee too low", "less than block base fee", "max fee per gas less", "gas price below")
OUT_OF_FUNDS = ("insufficient funds", "insufficient balance", "not enough funds")


class Underpriced(ChainError):
    """The node wants a higher fee."""


class Sender:
    """Sends the transactions of a step and waits for them."""

    def __init__(self, node: RpcNode, outbox: Outbox, place: str, patience: Patience) -> None:
        self._node, self._outbox, self._place, self._patience = node, outbox, place, patience

    def send(self, raw: bytes, queued: Queued) -> None:
        """Hand a transaction to the node until it is known there.

        Raises Underpriced; ChainError if the node refuses it, NodeUnreachable if it is not known to have arrived.
        """
        for pause in (*self._patience.pauses(), None):
            try:
                self._node.ask("eth_sendRawTransaction", "0x" + raw.hex())
            except NodeUnreachable:
                if self._is_known(raw):
                    return
                if pause is None:
                    raise
            except ChainError as error:
                if self._is_known(raw):  # it had arrived before, and may even be mined
                    return
                raise self._explained(error, queued) from error
            else:
                return
            time.sleep(pause or 0)

    def _is_known(self, raw: bytes) -> bool:
        """Whether the node has the transaction, waiting or mined."""
        tx_hash = hash_of(raw)
        return bool(self._node.ask("eth_getTransactionByHash", tx_hash) or self._node.receipt(tx_hash))

    def _explained(self, error: ChainError, queued: Queued) -> ChainError:
        """The node's refusal in words that say what to do."""
        message, who = str(error), queued.sender.address
        low = message.lower()
        if any(words in low for words in TOO_LOW):
            return Underpriced(f"{queued.kind}: {self._place} refuses the fee ({message}); wait until gas is cheaper")
        if any(words in low for words in OUT_OF_FUNDS):
            has = self._node.number("eth_getBalance", who, "latest")
            return ChainError(f"{queued.kind}: {who} has {has} wei, too little for gas ({message}); send coins to it")
        if "nonce" in low and ("too low" in low or "already" in low):
            return ChainError(
                f"{queued.kind}: nonce {queued.nonce} of {who} was used by another transaction; let only one program"
                " sign with this key, look at `transactive chain status`, then run the same again"
            )
        return ChainError(f"{queued.kind}: {self._place} refuses it: {message}")

    def wait(self, step: int, queue: list[Queued], position: int, confirmations: int) -> Json:
        """Receipt of a transaction of a step, `confirmations` blocks deep. Raises ChainError if it does not come.

        What a reorganisation put out of the chain, or the node lost, is sent again, with what was before it.
        """
        for _ in self._patience.looks():
            receipt = self.mined(step, position)
            if receipt and (not confirmations or self._depth(receipt) >= confirmations):
                return receipt
            if receipt is None and not any(self._is_known(raw) for raw in self._outbox.signed(step, position)):
                for earlier in range(position + 1):
                    self.send(self._outbox.signed(step, earlier)[-1], queue[earlier])
        raise ChainError(
            f"{queue[position].kind} is not final after {self._patience.final_seconds:g} s on {self._place}; run the"
            " same again: what was sent is waited for and not sent a second time"
        )

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
        raise ChainError(
            f"{queued.kind} is not what this step had signed before it was interrupted; run what ran then, with the"
            " same files and keys"
        )
