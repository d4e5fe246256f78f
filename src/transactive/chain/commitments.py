"""A slot as a settlement contract commits it, and its place in the hash chain of its period; no node is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO, word

NUMBER_BITS = 64
"""Bits of a commitment's first word that are the slot's number."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """A slot on chain: roots of the members' tree and of the certificates (zero without any), the tree's packed totals.

    slot: its number. block: the one that holds it. substituted: what of its period nobody has metered so far, Wh taken
    | given << 64; the contract has it behind the number, so that a commitment of metered slots is as it was before.
    """

    slot: int
    root: bytes
    certificates: bytes
    money: int
    energy: int
    block: int
    substituted: int = 0

    @classmethod
    def of(cls, word: int, root: bytes, certificates: bytes, money: int, energy: int, block: int = 0) -> Commitment:
        """Commitment by the words that the contract hashes."""
        slot, substituted = word % (1 << NUMBER_BITS), word >> NUMBER_BITS
        return cls(slot, root, certificates, money, energy, block, substituted)

    @property
    def substituted_wh(self) -> tuple[int, int]:
        """What members took and gave [Wh] in slots of the period so far that nobody metered."""
        return self.substituted % (1 << NUMBER_BITS), self.substituted >> NUMBER_BITS

    @property
    def content(self) -> tuple[int, bytes, bytes, int, int]:
        """What the contract hashes, in its order."""
        return self.slot | self.substituted << NUMBER_BITS, self.root, self.certificates, self.money, self.energy

    @property
    def hash(self) -> bytes:
        """Hash of the content."""
        words = (word(part) if isinstance(part, int) else part for part in self.content)
        return keccak(b"".join(words))


@dataclass(frozen=True, slots=True)
class Opening:
    """Proof that a commitment is part of its period's hash chain: the head before it, and the hashes of later ones."""

    previous: bytes
    commitment: Commitment
    later: tuple[bytes, ...]

    @property
    def head(self) -> bytes:
        """Head of the hash chain after the commitment."""
        return keccak(self.previous + self.commitment.hash)

    @property
    def content(self) -> tuple[bytes, tuple[int, bytes, bytes, int, int], list[bytes]]:
        """Argument of the contract's functions."""
        return self.previous, self.commitment.content, list(self.later)


def head_of(links: Iterable[Commitment]) -> bytes:
    """Head that the contract has for a period after these commitments, oldest first."""
    head = ZERO
    for link in links:
        head = keccak(head + link.hash)
    return head
