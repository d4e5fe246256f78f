"""A member's way through nested trees: leaf, root of its group, root of the whole, and that both have paid.

`evidence_of` gives the same way as `group_disputes.vy` takes it: as an answer to who asks, or against an operator.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from transactive.chain.commitments import Opening
from transactive.chain.disputes import evidence
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError
from transactive.core.proofs.groups import agrees, leaves_of_group, net_n
from transactive.core.proofs.leaves import Leaf, SlotLeaves, Step, climb
from transactive.core.proofs.slot_tree import SlotTree


@dataclass(frozen=True, slots=True)
class Placed:
    """A leaf in its place of a commitment, and the commitment in the hash chain of its period."""

    index: int
    leaf: Leaf | None
    proof: Sequence[Step]
    opening: Opening

    @classmethod
    def of(cls, tree: SlotTree, index: int, opening: Opening) -> Placed:
        """The leaf of an account in a tree."""
        return cls(index, tree.leaf(index), tree.proof(index), opening)

    @property
    def shown(self) -> Any:  # noqa: ANN401 - as the ABI says
        """Argument of the judges."""
        return evidence.shown(self.index, self.leaf, self.proof)

    @property
    def holds(self) -> bool:
        """Whether the leaf leads to the commitment, and all sums on its way add up."""
        made = self.opening.commitment
        return climb(self.leaf, self.index, self.proof) == (made.root, made.money, made.energy, True)

    @property
    def head(self) -> bytes:
        """Head of the period's hash chain after all its commitments."""
        head = self.opening.head
        for later in self.opening.later:
            head = keccak(head + later)
        return head


@dataclass(frozen=True, slots=True)
class NestedProof:
    """own: a member's leaf in a slot of its group; link: the link's in the group's last slot; whole: the group's.

    Whose leaf it is says `own.index`, the place in the group: hold it against the member's (`group_of`).
    """

    group: int
    own: Placed
    link: Placed
    whole: Placed

    def check(self, ledger: GroupedLedger) -> int:
        """Require that all of it holds and is what the chain has paid; net amount of the leaf [n¤].

        Raises InputError with the first step that does not.
        """
        period = self.whole.opening.commitment.slot // ledger.slots_per_period
        named = self.whole.leaf.fills if self.whole.leaf else b""
        made, places = self.link.opening.commitment, ledger.groups[self.group]
        steps = (
            ("the leaf does not lead to its group's root", self.own.holds),
            ("the link's leaf does not lead to its group's root", self.link.holds and not self.link.opening.later),
            ("the group's leaf does not lead to the root of the whole", self.whole.holds),
            ("the whole names other commitments of the group", self.own.head == self.link.head == named),
            (
                "the whole has other sums than the group",
                agrees(self.whole.leaf, self.link.leaf, made.money, made.energy),
            ),
            ("the whole has other commitments on chain", self.whole.head == ledger.head(None, period)),
            ("the group has other commitments on chain", named == ledger.head(self.group, period)),
            ("the leaf is no member's", self.own.index in range(len(places.members))),
            ("the link's leaf is another account's", self.link.index == places.link_place),
            ("the leaf in the whole is another account's", self.whole.index == len(NAMED) + self.group),
            ("the period is not paid", ledger.is_paid(self.group, period)),
        )
        for what, holds in steps:
            if not holds:
                raise InputError(f"group {self.group}, period {period}: {what}; ask the operator for the right file")
        return net_n(self.own.leaf) if self.own.leaf else 0


def proof_of(ledger: GroupedLedger, account: int, leaves: SlotLeaves, last: SlotLeaves) -> NestedProof:
    """Way of a member's leaf of a slot; last: leaves of the last slot of its period, which the whole has committed.

    Needs the operator's key. Raises ChainError for a slot that is not committed, ValueError for who is no member.
    """
    number, place = ledger.group_of(account)
    group = ledger.groups[number]
    own, end = (group.ledger.tree(leaves_of_group(of, group.members)) for of in (leaves, last))
    in_whole = ledger.leaves_in_whole(last)
    whole = ledger.whole.tree(in_whole)
    return NestedProof(
        number,
        Placed.of(own, place, ledger.opening(number, leaves.slot)),
        Placed.of(end, group.link_place, ledger.opening(number, last.slot)),
        Placed.of(whole, len(NAMED) + number, ledger.opening(None, in_whole.slot)),
    )


def evidence_of(whole: Placed, link_address: str, link: Placed) -> tuple[Any, ...]:
    """Arguments of `answer` and `challengeGroup`."""
    return whole.opening.content, link_address, whole.shown, link.opening.content, link.shown
