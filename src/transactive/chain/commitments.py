"""A slot as a settlement contract commits it, and its place in the hash chain of its period; no node is asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO, word


@dataclass(frozen=True, slots=True)
class Commitment:
    """A slot on chain: roots of the members' tree and of the certificates (zero without any), the tree's packed totals.

    slot: its number. block: the one that holds it.
    """

    slot: int
    root: bytes
    certificates: bytes
    money: int
    energy: int
    block: int

    @property
    def content(self) -> tuple[int, bytes, bytes, int, int]:
        """What the contract hashes, in its order."""
        return self.slot, self.root, self.certificates, self.money, self.energy

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
