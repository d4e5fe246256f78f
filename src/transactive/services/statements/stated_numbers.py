"""Leaves and commitments of a statement as the contracts hash them."""

from __future__ import annotations

from transactive.chain.commitments import NUMBER_BITS, Commitment
from transactive.core.proofs.leaves import MARKS_AT, Leaf, Step
from transactive.insight.statements import statement as said
from transactive.insight.statements.statement_slot import Four, StatementLeaf


def leaf_of(number: int, place: int, leaf: StatementLeaf) -> Leaf:
    """Leaf at a place of the tree of a slot with this number."""
    money, energy, slot_money, slot_energy = (_word(four) for four in (*leaf.sums, *leaf.slot_sums))
    fills, orders, salt = (bytes.fromhex(part) for part in (leaf.fills, leaf.orders, leaf.salt))
    return Leaf(number | leaf.marks << MARKS_AT, place, money, energy, slot_money, slot_energy, fills, orders, salt)


def steps_of(leaf: StatementLeaf) -> list[Step]:
    """A proof as numbers."""
    return [
        (bytes.fromhex(sibling), int(a, 16), int(b, 16), int(c, 16), int(d, 16)) for sibling, a, b, c, d in leaf.proof
    ]


def content_of(link: said.Link) -> tuple[int, bytes, bytes, int, int]:
    """A commitment."""
    roots = bytes.fromhex(link.root), bytes.fromhex(link.certificates)
    taken, given = link.substituted
    sums = int(link.money, 16), int(link.energy, 16)
    made = Commitment(link.slot, *roots, *sums, block=0, substituted=taken | given << NUMBER_BITS)
    return made.content


def _word(four: Four) -> int:
    """Four counters in one word, lowest lane first."""
    return sum(value << (64 * lane) for lane, value in enumerate(four))
