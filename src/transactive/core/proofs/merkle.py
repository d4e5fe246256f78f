"""Merkle-sum trees as the contracts read them: build, prove, verify.

A node is (hash, sums). `sums` packs several unsigned counters into one 256-bit word; the top bit of each lane stays
clear, so that two words add without a carry into the next lane. All hashes are SHA-256:

    leaf   = sha256(00 | words of the leaf)          padding leaf = 32 zero bytes with sums 0
    parent = sha256(01 | left hash | left sums | right hash | right sums)

Leaves and parents are told apart by their first byte, and empty places hold the padding leaf, so no two sets of
leaves share a root.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import numpy as np

from transactive.core.units import IntArray

WORD = 32
"""Bytes of a word."""
ZERO = bytes(WORD)

Node = tuple[bytes, int]
"""Hash and sums."""
Step = tuple[bytes, int, int]
"""Sibling's hash, sibling's sums, and the sums that the tree states for the node itself."""


@dataclass(frozen=True, slots=True)
class Lanes:
    """Layout of the counters in one word, lowest first."""

    names: tuple[str, ...]
    bits: int

    @property
    def top(self) -> int:
        """Bits that must stay clear: the top bit of every lane, and all bits above the lanes."""
        count = len(self.names)
        tops = sum(1 << (self.bits * (k + 1) - 1) for k in range(count))
        return tops | ((1 << 256) - (1 << (self.bits * count)))

    def pack(self, values: Sequence[int]) -> int:
        """Word holding the counters in the order of `names`. Raises ValueError for one that does not fit."""
        word = 0
        for k, (name, value) in enumerate(zip(self.names, values, strict=True)):
            if not 0 <= value < 1 << (self.bits - 1):
                raise ValueError(f"{name} does not fit its lane: {value}")
            word |= int(value) << (self.bits * k)
        return word

    def pack_rows(self, columns: Sequence[IntArray]) -> list[int]:
        """Words of many rows, from a column for each counter. Raises ValueError for one that does not fit."""
        for name, column in zip(self.names, columns, strict=True):
            if column.size and (column.min() < 0 or int(column.max()) >> (self.bits - 1)):
                raise ValueError(f"{name} does not fit its lane: {int(column.min())} to {int(column.max())}")
        packed: list[int] = columns[0].tolist()
        for k, column in enumerate(columns):
            if k and column.any():
                shift = self.bits * k
                packed = [below | value << shift for below, value in zip(packed, column.tolist(), strict=True)]
        return packed

    def unpack(self, word: int) -> dict[str, int]:
        """Counters by name."""
        mask = (1 << self.bits) - 1
        return {name: (word >> (self.bits * k)) & mask for k, name in enumerate(self.names)}


REGISTERS = Lanes(("import_wh", "export_wh", "generation_wh", "charge_wh", "discharge_wh"), 51)
"""Registers of a meter in a slot."""


def word(value: int) -> bytes:
    """One 32-byte big-endian word."""
    return value.to_bytes(32, "big")


def words(values: Sequence[int]) -> bytes:
    """Words of many numbers, negative ones in two's complement."""
    try:
        if not values or min(values) >= 0:
            return _layout(len(values)).pack(*values)
    except struct.error:  # one of more than 63 bits
        pass
    return b"".join(word(value % 2**256) for value in values)


def column_words(column: IntArray) -> bytes:
    """Words of a whole column, as `words` makes them of numbers."""
    parts = np.empty((len(column), 4), ">i8")
    parts[:, :3], parts[:, 3] = (column >> 63)[:, None], column
    return parts.tobytes()


@cache
def _layout(count: int) -> struct.Struct:
    """So many words of numbers below 2^63."""
    return struct.Struct(">" + "24xq" * count)


def leaf_hash(slot: int, index: int, sums: int) -> bytes:
    """Leaf of meter `index` in a slot; one without any sums is the padding leaf."""
    return _leaf_hash(b"\x00" + word(slot), index, sums)


def _leaf_hash(head: bytes, index: int, sums: int) -> bytes:
    """Leaf whose kind and slot are its head."""
    return sha256(head + index.to_bytes(WORD, "big") + sums.to_bytes(WORD, "big")).digest() if sums else ZERO


def parent_hash(left: bytes, left_sums: int, right: bytes, right_sums: int) -> bytes:
    """Hash of an inner node."""
    return sha256(b"\x01" + left + word(left_sums) + right + word(right_sums)).digest()


class Tree:
    """A complete tree of fixed depth; empty places hold the padding leaf and cost nothing."""

    def __init__(self, leaves: Sequence[Node], depth: int) -> None:
        if len(leaves) > 1 << depth:
            raise ValueError(f"{len(leaves)} leaves do not fit a tree of depth {depth}")
        self.depth = depth
        self._levels = [list(leaves)]
        self._empty: list[Node] = [(ZERO, 0)]
        for _ in range(depth):
            below, blank = self._levels[-1], self._empty[-1]
            row = []
            for i in range(0, len(below), 2):
                left, right = below[i], below[i + 1] if i + 1 < len(below) else blank
                row.append((parent_hash(*left, *right), left[1] + right[1]))
            self._levels.append(row)
            self._empty.append((parent_hash(*blank, *blank), 0))

    @classmethod
    def of_slot(cls, slot: int, sums: Sequence[int], depth: int | None = None) -> Tree:
        """Tree over the packed sums of accounts or meters 0, 1, 2, … in slot number `slot`."""
        if depth is None:
            depth = depth_for(len(sums))
        head = b"\x00" + word(slot)
        return cls([(_leaf_hash(head, i, s), s) for i, s in enumerate(sums)], depth)

    def node(self, level: int, position: int) -> Node:
        """Node of a level, counted from the leaves."""
        row = self._levels[level]
        return row[position] if position < len(row) else self._empty[level]

    @property
    def root(self) -> bytes:
        """Root hash."""
        return self.node(self.depth, 0)[0]

    @property
    def totals(self) -> int:
        """Root sums."""
        return self.node(self.depth, 0)[1]

    def proof(self, position: int) -> list[Step]:
        """Steps from the leaf up to the root."""
        path = []
        for level in range(self.depth):
            path.append((*self.node(level, position ^ 1), self.node(level, position)[1]))
            position >>= 1
        return path


def depth_for(leaves: int) -> int:
    """Least depth of a tree for so many leaves, at least 2 (the contract's own minimum)."""
    return max((leaves - 1).bit_length(), 2)


def climb(leaf: Node, position: int, proof: Sequence[Step], lanes: Lanes) -> tuple[bytes, int, bool]:
    """Root and totals that a proof leads to, and whether all sums on it add up inside their lanes.

    The sums of each node come from the proof, not from adding up, so that a tree with false sums can be shown to be
    false.
    """
    node, total = leaf
    consistent = total & lanes.top == 0
    for sibling, sibling_sums, own in proof:
        if position % 2 == 0:
            node = parent_hash(node, own, sibling, sibling_sums)
        else:
            node = parent_hash(sibling, sibling_sums, node, own)
        consistent &= own == total and (own | sibling_sums) & lanes.top == 0
        total = (own + sibling_sums) % 2**256
        position >>= 1
    return node, total, consistent
