"""A development node: ether for those who need it, and its mining, taken over while a run sets the times of blocks."""

from __future__ import annotations

import time
from collections.abc import Iterable

from transactive.chain import trouble
from transactive.chain.nodes.nodes import RpcNode
from transactive.chain.nodes.remote import Patience
from transactive.core.errors import ChainError, NodeUnreachable

BY_ITSELF, WHEN_TOLD = True, False
"""Parameter of evm_setAutomine."""


class DevelopmentMiner:
    """Lets a development node make blocks when it is told to."""

    def __init__(self, node: RpcNode, place: str, patience: Patience) -> None:
        self._node, self._place, self._patience = node, place, patience
        self._mines_for_us = False

    def prepare(self, addresses: Iterable[str], wei: int, genesis_time: int) -> None:
        """Give those without ether some, and let a new chain begin at `genesis_time` [Unix s].

        Raises ChainError if it cannot.
        """
        for address in addresses:
            if self._node.number("eth_getBalance", address, "latest") == 0:
                try:
                    self._node.ask("hardhat_setBalance", address, hex(wei))  # Anvil and Hardhat know this name
                except ChainError as error:
                    raise ChainError(f"{address} has no ether on {self._place}: {error}; fund it first") from error
        newest = self._node.block()
        if newest["number"] == 0 and newest["timestamp"] > genesis_time:
            try:
                self._node.ask("evm_setTime", hex(genesis_time))  # Anvil's: time may go back
            except ChainError:
                return  # `RemoteNode` says so if it matters

    def give_back(self) -> None:
        """Let the node mine by itself again, if it was taken over. Raises ChainError if it is gone."""
        if self._mines_for_us:
            self._node.ask("evm_setAutomine", BY_ITSELF)

    def takes_over(self) -> bool:
        """Take over the mining of a development node; False if it keeps its own."""
        if self._mines_for_us:
            return True
        try:
            self._node.ask("evm_setAutomine", WHEN_TOLD)
        except NodeUnreachable:
            raise
        except ChainError:
            return False
        self._mines_for_us = True
        return True

    def mine(self, timestamp: int) -> None:
        """Let a block be mined at `timestamp`, or one second after the newest if that is later; once."""
        before = self._node.block()
        when = max(timestamp, before["timestamp"] + 1 if before["number"] else 0)
        for pause in (*self._patience.pauses(), None):
            try:
                self._node.ask("evm_mine", hex(when))
            except NodeUnreachable:
                if self._node.block()["number"] > before["number"]:
                    return
                if pause is None:
                    raise
            except ChainError:
                if before["timestamp"] < when:
                    raise
                raise trouble.beyond(self._place, before["timestamp"], when) from None
            else:
                return
            time.sleep(pause or 0)
