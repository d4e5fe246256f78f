"""The way from a member's leaf to the root that is on chain, step by step, so that people can follow it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from transactive.core.errors import StateError
from transactive.core.proofs.leaves import ENERGY, MONEY, climb, parent_hash
from transactive.core.slots import time_text
from transactive.services.statements.issue import issuer
from transactive.services.statements.stated_numbers import leaf_of, steps_of


@dataclass(frozen=True, slots=True)
class ProofStep:
    """One step up the tree: the node's own hash, its sibling's, on which side that stands, and the hash of both."""

    own: str
    sibling: str
    sibling_is_left: bool
    parent: str


@dataclass(frozen=True, slots=True)
class LeafProof:
    """A leaf of the settlement tree with its way up. leaf: its hash; sums: running totals of its period by name.

    root: where the way ends; committed: the root that the contract logged, in `block`. consistent: whether the sums on
    the way add up. contract: address of the settlement. substituted_wh: what all members took and gave in slots of the
    period so far that nobody metered, as the commitment states [Wh].
    """

    leaf: str
    sums: dict[str, int]
    steps: tuple[ProofStep, ...]
    root: str
    committed: str
    consistent: bool
    block: int
    contract: str
    substituted_wh: tuple[int, int]

    @property
    def holds(self) -> bool:
        """Whether the leaf leads to the root on chain, with sums that add up."""
        return self.consistent and self.root == self.committed


def leaf_proof(folder: Path, member: str, slot: int) -> LeafProof:
    """The proof of a member's leaf in a slot [Unix s] of a state folder whose chain is in it.

    Raises InputError for a slot that is not settled, StateError if the chain does not know it.
    """
    with issuer(folder) as issue:
        length = issue.community.clock.length
        statement = issue.issue(member, slot, slot + length)
        found = next((one for one in reversed(issue.ledger.commitments()) if one.slot == slot // length), None)
        contract = issue.ledger.address
    if found is None:
        raise StateError(f"{time_text(slot)}: the chain has no commitment of this slot; check the state")
    stated = statement.slots[0].settlement_leaf
    place = statement.member.place_on_chain
    leaf, way = leaf_of(slot // length, place, stated), steps_of(stated)
    root, _, _, consistent = climb(leaf, place, way)
    steps, own, position = [], leaf.hash, 2 * place
    for sibling, its_money, its_energy, own_money, own_energy in way:
        ours, other = (own, own_money, own_energy), (sibling, its_money, its_energy)
        is_left = position % 2 == 1
        parent = parent_hash(other, ours) if is_left else parent_hash(ours, other)
        steps.append(ProofStep(_hex(own), _hex(sibling), is_left, _hex(parent)))
        own, position = parent, position >> 1
    sums = MONEY.unpack(leaf.money) | ENERGY.unpack(leaf.energy)
    return LeafProof(
        _hex(leaf.hash), sums, tuple(steps), _hex(root), _hex(found.root), consistent, found.block, contract,
        found.substituted_wh,
    )  # fmt: skip


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
