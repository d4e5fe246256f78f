"""The netting of a period on chain: part by part, or as a whole in contracts from before there were parts.

A part fits into a transaction however many accounts a community has. What an interrupted run had brought on chain is
not brought again: the contract tells how far it is, and anybody may apply what is proposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.history import pending_chunks
from transactive.chain.nodes.client import ChainClient
from transactive.chain.packing import PART_WORDS, chunks_of, decode_balances, encode_nets, words_for
from transactive.core.errors import ChainError


class NettingParts(NamedTuple):
    """How far a netting is: its period, its words, how many of them were proposed and applied; zeros without one."""

    period: int
    words: int
    proposed: int
    applied: int


def balances_n(client: ChainClient, settlement: Contract, accounts: int, block: int | None = None) -> list[int]:
    """Settled balance of each account [n¤], now or at a block.

    Now it is without what a netting that is not at its end has done to it; at a block it is as the contract had it.
    """
    if block is None and _is_in_parts(settlement) and NettingParts(*client.read(settlement, "parts")).applied:
        members = [client.read(settlement, "accountOf", index) for index in range(accounts)]
        return [int(client.read(settlement, "balanceOf", member)) for member in members]
    words = client.read_words(settlement, "balances", words_for(accounts), block)
    return decode_balances(words)[:accounts]


def _is_in_parts(settlement: Contract) -> bool:
    """Whether a contract takes nettings in parts."""
    return any(entry.get("name") == "parts" for entry in settlement.abi)


class NettingCalls:
    """Queues the operator's calls that net periods on one settlement contract."""

    def __init__(self, client: ChainClient, settlement: Contract, operator: LocalAccount) -> None:
        self._client, self._settlement, self._operator = client, settlement, operator
        self._in_parts = _is_in_parts(settlement)

    def propose(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue what is missing of the proposal of a period: received − paid per account [n¤], sum zero."""
        if not self._in_parts:
            self._send("propose", period, chunks_of(nets_n))
            return
        words, parts = encode_nets(nets_n), self._standing()
        begun = parts.period == period and parts.proposed < parts.words and not self._client.is_interrupted
        for first in range(parts.proposed if begun else 0, len(words), PART_WORDS):
            self._send("propose", period, first, words[first : first + PART_WORDS])

    def finalise(self, period: int) -> None:
        """Queue what is missing of the payment of a period's netting: nothing, if somebody else has paid it.

        A step that was interrupted is queued as it was. Raises ChainError if the netting is not proposed.
        """
        is_settled, is_interrupted = self.is_settled(period), self._client.is_interrupted
        if is_settled and not is_interrupted:
            return
        if not is_settled and int(self._client.read(self._settlement, "proposal")[0]) != period:
            raise ChainError(f"no netting of period {period} is proposed; call propose first")
        if not self._in_parts:
            self._send("finalise", pending_chunks(self._client, self._settlement, period))
            return
        parts = self._standing()
        words = words_for(int(self._client.read(self._settlement, "memberCount"))) if is_settled else parts.words
        for _ in range(0 if is_interrupted else parts.applied, words, PART_WORDS):
            self._send("finalise", PART_WORDS)

    def is_settled(self, period: int) -> bool:
        """Whether a period was paid."""
        return int(self._client.read(self._settlement, "settledPeriod")) >= period

    def _standing(self) -> NettingParts:
        """How far the contract is."""
        return NettingParts(*map(int, self._client.read(self._settlement, "parts")))

    def _send(self, function: str, *arguments: object) -> None:
        """Queue a call of the operator's."""
        self._client.send(self._operator, self._settlement, function, *arguments)
