"""What a node of the chain says of a market: whether the leaves that were told lead to what is committed there."""

from __future__ import annotations

from typing import Protocol

from transactive.chain.disputes.leaf_file import LeafFile
from transactive.core.boxes.messages import Terms
from transactive.node.verify.leaf_check import Wrong

PATIENCE_SECONDS = 1_800
"""How long chain and market may be a slot apart until that is told."""
ADDRESS_BITS = 160


class ChainNode(Protocol):
    """Who answers for a chain: a node elsewhere, or a copy that this box keeps."""

    def chain_id(self) -> int:
        """EIP-155 number of the chain. Raises NodeUnreachable."""
        ...

    def view(self, contract: str, view: str, *arguments: int) -> int:
        """Answer of one word of a contract (address) to a view such as "heads(uint256)". Raises NodeUnreachable."""
        ...


class ChainView:
    """Compares the newest leaf with the chain, now and then: its commitment holds all those before it."""

    def __init__(self, node: ChainNode, patience: int = PATIENCE_SECONDS) -> None:
        self._node, self._patience = node, patience
        self._apart: tuple[int, int] | None = None
        self.apart_since = 0

    def look(self, newest: LeafFile, terms: Terms, per_period: int, now: int) -> tuple[int, Wrong] | None:
        """What the chain contradicts at a time [Unix s], with the number of the slot; None where it does not.

        Raises NodeUnreachable.
        """
        made = newest.opening.commitment
        if (chain := self._node.chain_id()) != terms.chain_id:
            return made.slot, Wrong(
                f"the node is of chain {chain}, and the market says that it settles on {terms.chain_id}"
            )
        own = self._view(terms, "accountOf(uint256)", terms.account) % (1 << ADDRESS_BITS)
        if own != int(terms.address, 16):
            why = f"account {terms.account} belongs to 0x{own:040x} on chain, and the market says {terms.address}"
            return made.slot, Wrong(why)
        period = made.slot // per_period
        last, head = self._standing(terms, period)
        later, _ = self._standing(terms, period + 1)
        if last == made.slot and head == int.from_bytes(newest.opening.head, "big") and later > last:
            last = later  # the period is whole, and the next one has begun without this box
        if last == made.slot:
            self._apart = None
            if head == int.from_bytes(newest.opening.head, "big"):
                return None
            return made.slot, Wrong("another commitment is on chain than the one that was told to this box")
        if self._apart != (last, made.slot):
            self._apart, self.apart_since = (last, made.slot), now
        if now - self.apart_since < self._patience:
            return None
        if last > made.slot:
            return last, Wrong("it is on chain, and no leaf of it has come", "demand")
        return made.slot, Wrong("the leaf was told, and the chain has no commitment of its slot")

    def _standing(self, terms: Terms, period: int) -> tuple[int, int]:
        """Last committed slot of a period and its head, of one moment: read until nothing came between."""
        last = self._view(terms, "lastSlot(uint256)", period)
        while True:
            head = self._view(terms, "heads(uint256)", period)
            again = self._view(terms, "lastSlot(uint256)", period)
            if again == last:
                return last, head
            last = again

    def _view(self, terms: Terms, view: str, argument: int) -> int:
        """One word of the market's contract."""
        return self._node.view(terms.settlement, view, argument)
