"""What a settlement commits of every account in a slot: leaves, blinding leaves, and the tree over both.

The tree is that of `chain/contracts/modules/leaves.vy`: places 2i and 2i + 1 hold the leaf of account i and its
blinding leaf. Every node carries eight sums in two words, money and energy. Each lane of a blinding leaf is drawn
uniformly below 2**62 / places; one more blinding leaf, beside an empty place behind the last account, brings every lane
of their sum to 2**62. So a member that is shown its neighbour's node sees a random number, and everybody can read the
community's totals: the root's sums less 2**62.

A leaf can have marks beside its slot (`LeafMark`); one without any has the hash that it had before there were marks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntFlag
from functools import cache

import numpy as np
from numpy.typing import NDArray

from transactive.core.proofs.merkle import ZERO, Lanes, word
from transactive.core.units import IntArray

MONEY = Lanes(("debit_n", "credit_n", "bought_wh", "sold_wh"), 64)
"""Running totals of an account in a settlement period: money and trades."""
ENERGY = Lanes(("imported_wh", "exported_wh", "produced_wh", "certified_wh"), 64)
"""Running totals of an account in a settlement period: meters and certificates."""
BLINDING = sum(1 << (64 * k + 62) for k in range(4))
"""What the blinding leaves add to each of the root's two words of sums."""
LEAF, NODE, BLIND = b"\x00", b"\x01", b"\x02"
MAX_DEPTH = 13

MARKS_AT = 64
"""Bit of a leaf's slot at which its marks begin."""

Step = tuple[bytes, int, int, int, int]
"""Sibling's hash, money and energy; then money and energy that the tree states for the node itself."""
Bytes = NDArray[np.uint8]
Sums = NDArray[np.uint64]


class LeafMark(IntFlag):
    """What a leaf says of its slot."""

    SUBSTITUTED = 1  # nobody metered it: as traded, nothing certified, and what it would bring is held
    VOID = 2  # its gate passed while nobody was there: orders for it count for nothing, and nobody has traded


@dataclass(frozen=True, slots=True)
class Leaf:
    """Leaf of one account.

    slot: number, and marks from bit 64 on; money, energy: packed running totals; slot_money, slot_energy: the same
    since the commitment before; fills, orders: hashes of what was traded and of the accepted orders, zero for nothing.
    """

    slot: int
    index: int
    money: int
    energy: int
    slot_money: int
    slot_energy: int
    fills: bytes
    orders: bytes
    salt: bytes

    @property
    def number(self) -> int:
        """Number of the slot."""
        return self.slot % (1 << MARKS_AT)

    @property
    def marks(self) -> LeafMark:
        """What is said of the slot; unknown marks are kept."""
        return LeafMark(self.slot >> MARKS_AT)

    @property
    def content(self) -> tuple[int, int, int, int, int, int, bytes, bytes, bytes]:
        """Argument of the contract's functions."""
        sums = self.money, self.energy, self.slot_money, self.slot_energy
        return (self.slot, self.index, *sums, self.fills, self.orders, self.salt)

    @property
    def hash(self) -> bytes:
        """Hash as the contract computes it."""
        numbers = b"".join(word(part) for part in self.content if isinstance(part, int))
        return hashlib.sha256(LEAF + numbers + self.fills + self.orders + self.salt).digest()


def wrong_marks(leaf: Leaf) -> bool:
    """Whether a mark is unknown, or a substituted slot is not as traded, has certificates, or brings money."""
    if leaf.slot >> MARKS_AT > LeafMark.SUBSTITUTED | LeafMark.VOID:
        return True
    if not leaf.marks & LeafMark.SUBSTITUTED:
        return False
    money = MONEY.unpack(leaf.slot_money)
    taken = money["bought_wh"] - money["sold_wh"]
    given = max(-taken, 0)
    return leaf.slot_energy != ENERGY.pack((max(taken, 0), given, given, 0)) or money["credit_n"] != 0


def _no_marks() -> IntArray:
    return np.zeros(0, np.int64)


def _nothing_substituted() -> IntArray:
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class SlotLeaves:
    """Content of all leaves of a slot: money, energy and their part of this slot, each (accounts, 4) in lane order.

    slot: number. fills, orders: hash of what each account traded and of its accepted orders, `ZERO` for nothing. marks:
    `LeafMark` of each account, (accounts,); empty for none. substituted: running total of the period of what each
    account took and gave [Wh] in slots that are marked so, (accounts, 2); empty for nothing.
    """

    slot: int
    money: IntArray
    energy: IntArray
    slot_money: IntArray
    slot_energy: IntArray
    fills: Sequence[bytes]
    orders: Sequence[bytes]
    marks: IntArray = field(default_factory=_no_marks)
    substituted: IntArray = field(default_factory=_nothing_substituted)

    def __len__(self) -> int:
        return len(self.money)

    @property
    def stated(self) -> int:
        """What a commitment states as substituted in the period so far: Wh taken | given << 64, of all accounts."""
        taken, given = self.substituted.sum(axis=0).tolist()
        return int(taken | given << MARKS_AT)


def climb(leaf: Leaf | None, index: int, proof: Sequence[Step]) -> tuple[bytes, int, int, bool]:
    """Root, money and energy that a proof leads to, and whether its sums add up; without a leaf, of an empty place.

    The sums of each node come from the proof, not from adding up, so that a tree with false sums can be shown to be
    false.
    """
    node, money, energy = (leaf.hash, leaf.money, leaf.energy) if leaf else (ZERO, 0, 0)
    consistent, position = (money | energy) & MONEY.top == 0, 2 * index
    for sibling, its_money, its_energy, own_money, own_energy in proof:
        own, other = (node, own_money, own_energy), (sibling, its_money, its_energy)
        node = parent_hash(own, other) if position % 2 == 0 else parent_hash(other, own)
        consistent &= (own_money, own_energy) == (money, energy) and (its_money | its_energy) & MONEY.top == 0
        money, energy = (own_money + its_money) % 2**256, (own_energy + its_energy) % 2**256
        position >>= 1
    return node, money, energy, consistent and (money | energy) & MONEY.top == 0


def parent_hash(left: tuple[bytes, int, int], right: tuple[bytes, int, int]) -> bytes:
    """Hash of an inner node."""
    parts = (part for node in (left, right) for part in (node[0], word(node[1]), word(node[2])))
    return hashlib.sha256(NODE + b"".join(parts)).digest()


@cache
def blank_hash(level: int) -> bytes:
    """Hash of a subtree without leaves."""
    return parent_hash((blank_hash(level - 1), 0, 0), (blank_hash(level - 1), 0, 0)) if level else ZERO
