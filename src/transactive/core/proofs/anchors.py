"""Heads of communities' own chains as another chain notes them: salted leaves, and one root for as many as like.

    leaf   00 | chain id | settlement | number of the block | its hash | salt      keccak-256
    node   01 | lower hash | higher hash; a node without a neighbour moves up as it is

`chain/contracts/anchors.vy` computes the same. A root says nothing of who stands behind it: a leaf cannot be found by
trying without its salt, which is drawn anew for each.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from transactive.core.errors import InputError
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signing import address_word

LEAF_MARK, NODE_MARK = b"\x00", b"\x01"
MOST_HEADS = 2**32
"""In one root."""


@dataclass(frozen=True, slots=True)
class ChainHead:
    """A block of a community's own chain. settlement: address on that chain; hash, salt: 32 bytes each."""

    chain_id: int
    settlement: str
    number: int
    hash: bytes
    salt: bytes

    @property
    def leaf(self) -> bytes:
        """Its leaf in a tree of heads."""
        place = word(self.chain_id) + address_word(self.settlement) + word(self.number)
        return keccak(LEAF_MARK + place + self.hash + self.salt)

    def contradicts(self, other: ChainHead) -> bool:
        """Whether two heads show that the books of one community were kept twice."""
        mine = self.chain_id, self.settlement.lower(), self.number
        return mine == (other.chain_id, other.settlement.lower(), other.number) and self.hash != other.hash


class HeadTree:
    """A tree over leaves of heads, in the order of their hashes, so that a place says nothing of a community."""

    def __init__(self, leaves: Iterable[bytes]) -> None:
        """Raises InputError for none, or one that is there twice."""
        self._leaves = sorted(leaves)
        if not self._leaves or len(set(self._leaves)) != len(self._leaves):
            raise InputError("a root is over one head at least, and each of them once; give other states")

    @cached_property
    def _levels(self) -> list[list[bytes]]:
        row = self._leaves
        levels = [row]
        while len(row) > 1:
            pairs = zip(row[::2], row[1::2], strict=False)
            row = [_node(left, right) for left, right in pairs] + (row[-1:] if len(row) % 2 else [])
            levels.append(row)
        return levels

    @property
    def root(self) -> bytes:
        """What is noted."""
        return self._levels[-1][0]

    def way(self, leaf: bytes) -> list[bytes]:
        """Siblings from a leaf up to the root."""
        place, found = self._leaves.index(leaf), list[bytes]()
        for row in self._levels[:-1]:
            if place ^ 1 < len(row):
                found.append(row[place ^ 1])
            place >>= 1
        return found


def root_of(leaf: bytes, way: Sequence[bytes]) -> bytes:
    """Root to which a leaf's way leads."""
    node = leaf
    for sibling in way:
        node = _node(node, sibling)
    return node


def _node(one: bytes, other: bytes) -> bytes:
    """Hash of a pair, the lower first."""
    return keccak(NODE_MARK + min(one, other) + max(one, other))
