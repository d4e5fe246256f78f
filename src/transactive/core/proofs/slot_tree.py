"""The tree over the leaves of a slot: sums, blinding leaves and hashes of all accounts at once.

Salts and offsets follow from a secret of the operator for each slot, attempt and account, so that leaves can be
made again; whoever has the secret can undo the blinding.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from struct import iter_unpack

import numpy as np

from transactive.core.accounts import MOST_ACCOUNTS
from transactive.core.proofs.leaves import (
    BLIND,
    LEAF,
    MARKS_AT,
    MAX_DEPTH,
    MONEY,
    NODE,
    Bytes,
    Leaf,
    SlotLeaves,
    Step,
    Sums,
    blank_hash,
)
from transactive.core.units import IntArray


def depth_for_accounts(accounts: int) -> int:
    """Height of a tree with room for so many accounts and the last blinding leaf. Raises ValueError beyond 4,095."""
    depth = max(accounts.bit_length() + 1, 2)
    if depth > MAX_DEPTH:
        raise ValueError(f"{accounts} accounts do not fit a tree; {MOST_ACCOUNTS} do")
    return depth


def secrets_of(secret: bytes, slot: int, attempt: int, count: int) -> Bytes:
    """Salt (32), salt of the blinding leaf (32) and eight offsets before they are cut (64), (count, 128)."""
    seed = secret + slot.to_bytes(8, "big") + attempt.to_bytes(4, "big")
    return np.frombuffer(hashlib.shake_256(seed).digest(128 * count), np.uint8).reshape(count, 128)


class SlotTree:
    """Tree over the leaves of a slot; `proof` and `leaf` are what the operator tells one member.

    secret: of the operator. attempt: 0, or more when a slot is committed again, so that no offset serves twice.
    """

    def __init__(self, leaves: SlotLeaves, depth: int, secret: bytes, attempt: int = 0) -> None:
        count = len(leaves)
        if count + 1 > 1 << (depth - 1):
            raise ValueError(f"{count} accounts do not fit a tree of depth {depth}")
        self.leaves, self.depth = leaves, depth
        drawn = secrets_of(secret, leaves.slot, attempt, count + 1)
        self.salts = drawn[:, :32]
        offsets = _offsets(drawn[:, 64:], depth)
        places = np.zeros((2 * count + 2, 8), np.uint64)
        places[0:-2:2] = _columns(leaves.money, leaves.energy)
        places[1::2] = offsets
        hashes = np.zeros((2 * count + 2, 32), np.uint8)
        hashes[0:-2:2] = _hash_rows(LEAF, _leaf_rows(leaves, self.salts[:-1]))
        hashes[1::2] = _hash_rows(BLIND, _blinding_rows(leaves.slot, offsets, drawn[:, 32:64]))
        self._hashes, self._sums = [hashes], [places]
        self._asked: dict[tuple[int, int], tuple[bytes, int, int]] = {}
        for level in range(depth):
            self._grow(level)

    def _grow(self, level: int) -> None:
        """Add the level above."""
        hashes, sums = self._hashes[level], self._sums[level]
        if len(hashes) % 2:
            hashes = np.concatenate((hashes, np.frombuffer(blank_hash(level), np.uint8)[None]))
            sums = np.concatenate((sums, np.zeros((1, 8), np.uint64)))
        half = len(hashes) // 2
        parts = [part.reshape(half, -1) for part in (hashes, _words(sums[:, :4]), _words(sums[:, 4:]))]
        left, right = ([part[:, side * 32 : side * 32 + 32] for part in parts] for side in (0, 1))
        self._hashes.append(_hash_rows(NODE, (*left, *right)))
        self._sums.append(sums[0::2] + sums[1::2])

    def node(self, level: int, position: int) -> tuple[bytes, int, int]:
        """Hash, money and energy of a node of a level, counted from the leaves."""
        if position >= len(self._hashes[level]):
            return blank_hash(level), 0, 0
        known = self._asked.get((level, position))
        if known is None:  # the ways of all leaves meet
            sums = self._sums[level][position]
            money, energy = (int.from_bytes(_words(half[None]).tobytes(), "big") for half in (sums[:4], sums[4:]))
            known = self._asked[level, position] = self._hashes[level][position].tobytes(), money, energy
        return known

    @property
    def root(self) -> bytes:
        """Root hash."""
        return self.node(self.depth, 0)[0]

    @property
    def money(self) -> int:
        """Root's packed money, blinding included."""
        return self.node(self.depth, 0)[1]

    @property
    def energy(self) -> int:
        """Root's packed energy, blinding included."""
        return self.node(self.depth, 0)[2]

    def leaf(self, index: int) -> Leaf:
        """Leaf of an account."""
        of = self.leaves
        parts = (of.money[index], of.energy[index], of.slot_money[index], of.slot_energy[index])
        money, energy, slot_money, slot_energy = (MONEY.pack(part.tolist()) for part in parts)
        sums = money, energy, slot_money, slot_energy
        slot = of.slot | int(of.marks[index]) << MARKS_AT if len(of.marks) else of.slot
        return Leaf(slot, index, *sums, of.fills[index], of.orders[index], self.salts[index].tobytes())

    def proof(self, index: int) -> list[Step]:
        """Steps from an account's leaf up to the root."""
        path, position = [], 2 * index
        for level in range(self.depth):
            path.append((*self.node(level, position ^ 1), *self.node(level, position)[1:]))
            position >>= 1
        return path


def _offsets(raw: Bytes, depth: int) -> Sums:
    """Offsets of all blinding leaves, (accounts + 1, 8), each lane summing to 2**62, from 64 bytes for each."""
    offsets = np.ascontiguousarray(raw).view(">u8").astype(np.uint64) & np.uint64((1 << (63 - depth)) - 1)
    offsets[-1] = np.uint64(1 << 62) - offsets[:-1].sum(axis=0, dtype=np.uint64)
    return offsets


def _columns(*columns: IntArray) -> Sums:
    """Counters side by side. Raises ValueError for one that does not fit its lane."""
    joined = np.concatenate(columns, axis=1)
    if joined.size and int(joined.min()) < 0:
        raise ValueError("a counter of a leaf is negative")
    return joined.astype(np.uint64)


def _words(lanes: Sums) -> Bytes:
    """Words of four counters each, lowest lane first, as big-endian bytes (rows, 32)."""
    return np.ascontiguousarray(lanes[:, ::-1].astype(">u8")).view(np.uint8)


def _leaf_rows(leaves: SlotLeaves, salts: Bytes) -> tuple[Bytes, ...]:
    """What is hashed of each leaf, side by side (accounts, 288)."""
    sums = (leaves.money, leaves.energy, leaves.slot_money, leaves.slot_energy)
    fixed = np.frombuffer(b"".join((*leaves.fills, *leaves.orders)), np.uint8).reshape(2, len(leaves), 32)
    return (
        *_heads(leaves.slot, len(leaves), leaves.marks),
        *(_words(_columns(lanes)) for lanes in sums),
        *fixed,
        salts,
    )


def _blinding_rows(slot: int, offsets: Sums, salts: Bytes) -> tuple[Bytes, ...]:
    """What is hashed of each blinding leaf, side by side (accounts + 1, 160)."""
    return (*_heads(slot, len(offsets)), _words(offsets[:, :4]), _words(offsets[:, 4:]), salts)


def _heads(slot: int, count: int, marks: IntArray | None = None) -> tuple[Bytes, Bytes]:
    """Slot with marks, and index, as words, each (count, 32)."""
    numbers = np.zeros((2, count, 4), ">u8")
    numbers[0, :, 3], numbers[1, :, 3] = slot, np.arange(count)
    if marks is not None and len(marks):
        numbers[0, :, 2] = marks
    head, index = numbers.view(np.uint8)
    return head, index


def _hash_rows(prefix: bytes, parts: Sequence[Bytes]) -> Bytes:
    """SHA-256 of the prefix and each row of the parts side by side, which are (rows, 32): (rows, 32).

    One buffer holds all rows, so that a hash costs little beside itself.
    """
    rows = np.empty((len(parts[0]), 1 + 32 * len(parts)), np.uint8)
    rows[:, 0] = prefix[0]
    for place, part in enumerate(parts):
        rows[:, 1 + 32 * place : 33 + 32 * place] = part
    sha256 = hashlib.sha256
    digests = [sha256(row).digest() for (row,) in iter_unpack(f"{rows.shape[1]}s", rows.tobytes())]
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
