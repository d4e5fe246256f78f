"""Ballots that members sign without a transaction: EIP-712 typed data, which anybody brings to the governor.

A ballot names the proposal by number and by the digest of all that is voted on, so that it counts for nothing else; the
domain names chain and contract. A later turn replaces an earlier one, whoever brings which first. Sources: EIP-712,
EIP-2098 (compact signatures). `chain/contracts/governor.vy` computes the same hashes.
"""

from __future__ import annotations

from dataclasses import dataclass

from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word

NAME = b"TransActive Governor"
BALLOT_HASH = keccak(b"Ballot(uint256 proposal,bytes32 content,uint256 index,uint256 support,uint256 turn)")
YES, NO, ABSTAIN = 1, 2, 3
ANSWERS = {"yes": YES, "no": NO, "abstain": ABSTAIN}
LAST_TURN = 62
"""Highest turn of a signed ballot; the member's own transaction counts as one after it."""
EVEN_V = 27


@dataclass(frozen=True, slots=True)
class Ballot:
    """A member's answer to a proposal. content: digest of what is voted on; turn: 1 to 62."""

    proposal: int
    content: bytes
    index: int
    support: int
    turn: int = 1

    def digest(self, chain_id: int, governor: str) -> bytes:
        """What is signed, for the governor at this address."""
        numbers = word(self.index) + word(self.support) + word(self.turn)
        struct = keccak(BALLOT_HASH + word(self.proposal) + self.content + numbers)
        return signing.digest(signing.domain(NAME, chain_id, governor), struct)

    def signed(self, key: bytes, chain_id: int, governor: str) -> SignedBallot:
        """The ballot with its member's signature."""
        return SignedBallot(self, signing.sign(self.digest(chain_id, governor), key))


@dataclass(frozen=True, slots=True)
class SignedBallot:
    """A ballot and its signature of 65 bytes."""

    ballot: Ballot
    signature: bytes

    def signer(self, chain_id: int, governor: str) -> str:
        """Address that signed, lower case. Raises SignatureError."""
        return signing.signer(self.ballot.digest(chain_id, governor), self.signature, "a ballot")

    @property
    def content(self) -> tuple[int, int, int, bytes, bytes]:
        """As the contract takes it: the parity of v in the highest bit of s."""
        r, s, v = self.signature[:32], int.from_bytes(self.signature[32:64], "big"), self.signature[64]
        compact = s | (v - EVEN_V) << 255
        return self.ballot.index, self.ballot.support, self.ballot.turn, r, word(compact)
