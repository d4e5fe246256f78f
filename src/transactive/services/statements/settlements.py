"""Which settlement a statement is of: the community's, or that of the member's group and what joins it to the whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from transactive.core.errors import RuleBroken
from transactive.core.proofs.groups import carbon_of_group, leaves_of_group
from transactive.core.proofs.leaves import MONEY, Leaf, SlotLeaves, Step
from transactive.core.proofs.slot_tree import SlotTree
from transactive.insight.statements import statement as said
from transactive.insight.statements.statement_slot import Four, StatementLeaf

if TYPE_CHECKING:
    from transactive.chain.commitments import Commitment
    from transactive.chain.disputes.nested import Placed
    from transactive.chain.ledgers.groups.ledger import GroupedLedger
    from transactive.chain.ledgers.settlement import ChainLedger


@dataclass(frozen=True, slots=True)
class SlotTrees:
    """Leaves of a slot, and of its carbon, with the trees that were made over them by their settlements' addresses."""

    leaves: SlotLeaves
    carbon: SlotLeaves
    known: dict[str, tuple[SlotTree, SlotTree]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StatedSettlement:
    """A settlement with the place of a member in it. groups: of all settlements, where it is a group's."""

    ledger: ChainLedger
    index: int
    groups: GroupedLedger | None = None

    @classmethod
    def of(cls, ledger: ChainLedger | GroupedLedger, index: int) -> StatedSettlement:
        """That of a member, by its number in the community."""
        from transactive.chain.ledgers.groups.ledger import GroupedLedger

        if not isinstance(ledger, GroupedLedger):
            return cls(ledger, index)
        return cls(ledger.place_of(index)[0], index, ledger)

    @property
    def place(self) -> int:
        """The member's place in the settlement."""
        return self.groups.group_of(self.index)[1] if self.groups else self.index

    @property
    def whole(self) -> str | None:
        """Address of the settlement of all groups, if there are any."""
        return self.groups.address if self.groups else None

    def leaves(self, trees: SlotTrees) -> tuple[StatementLeaf, StatementLeaf]:
        """The member's leaf of a slot, as it was committed, and that of carbon."""
        ours = trees.known.get(self.ledger.address)
        if ours is None:
            leaves, carbon = trees.leaves, trees.carbon
            if self.groups is not None:
                members = self.groups.spans[self.groups.group_of(self.index)[0]]
                leaves, carbon = leaves_of_group(leaves, members), carbon_of_group(carbon, members)
            ours = trees.known[self.ledger.address] = self.ledger.tree(leaves), self.ledger.carbon_tree(carbon)
        return stated_leaf(ours[0], self.place), stated_leaf(ours[1], self.place)

    def last_in(self, period: int) -> int | None:
        """Number of the last slot of a period that the whole has committed of the group; None before it has."""
        return self.groups.last_in(period) if self.groups else None

    def joined(self, last: SlotLeaves) -> said.StatementWhole | None:
        """What the whole committed of the group; last: leaves of a period's last slot. None without groups."""
        if self.groups is None:
            return None
        from transactive.chain.disputes.nested import proof_of

        proof, per_period = proof_of(self.groups, self.index, last, last), self.groups.slots_per_period
        period = last.slot // per_period
        made = [one for one in self.groups.whole.commitments() if one.slot // per_period == period]
        return said.StatementWhole(
            links=tuple(map(stated_link, made)),
            group_place=proof.whole.index,
            group_leaf=_stated(proof.whole),
            link_place=proof.link.index,
            link_leaf=_stated(proof.link),
        )


def stated_leaf(tree: SlotTree, index: int) -> StatementLeaf:
    """A leaf with its way to the root."""
    return _leaf(tree.leaf(index), tree.proof(index))


def _stated(placed: Placed) -> StatementLeaf:
    """A leaf of the nested trees."""
    if placed.leaf is None:
        raise RuleBroken(f"place {placed.index} of a tree has no leaf")
    return _leaf(placed.leaf, placed.proof)


def _leaf(leaf: Leaf, proof: Sequence[Step]) -> StatementLeaf:
    money, energy, slot_money, slot_energy = (_four(word) for word in leaf.content[2:6])
    return StatementLeaf(
        sums=(money, energy),
        slot_sums=(slot_money, slot_energy),
        fills=leaf.fills.hex(),
        orders=leaf.orders.hex(),
        salt=leaf.salt.hex(),
        proof=tuple((sibling.hex(), f"{a:x}", f"{b:x}", f"{c:x}", f"{d:x}") for sibling, a, b, c, d in proof),
        marks=int(leaf.marks),
    )


def _four(word: int) -> Four:
    """The four counters of a word."""
    a, b, c, d = MONEY.unpack(word).values()
    return a, b, c, d


def stated_link(commitment: Commitment) -> said.Link:
    """A commitment as the statement names it."""
    return said.Link(
        slot=commitment.slot,
        root=commitment.root.hex(),
        certificates=commitment.certificates.hex(),
        money=f"{commitment.money:x}",
        energy=f"{commitment.energy:x}",
        substituted=commitment.substituted_wh,
    )
