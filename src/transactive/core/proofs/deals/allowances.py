"""Who may trade a slot directly: keys of the slot, what each may trade at most, and whose they are, hidden.

A member signs for one slot with a key that it made for that slot, so that nobody can link its slots. The operator lets
the key in: it signs an allowance, which names the key, a commitment to the member's place in the settlement, and
bounds. The commitment keccak256(index | salt) tells nothing to who has no salt; the member opens it where it must prove
a deal.

All allowances of a slot are the roll, which has one signature of its own: a node checks one and not hundreds. Keys
stand in the roll by rising address, so that their order says nothing of the members'. Source: EIP-712 (typed structured
data, arrays of structs).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word, words

ALLOWANCE_TYPE = b"Allowance(uint256 slot,address key,bytes32 member,uint256 mostBought,uint256 mostSold)"
ROLL_TYPE = b"Roll(uint256 slot,Allowance[] allowances)" + ALLOWANCE_TYPE
ALLOWANCE_HASH, ROLL_HASH = keccak(ALLOWANCE_TYPE), keccak(ROLL_TYPE)
KEY_OF_SLOT = b"TransActive key of a slot"
SALT_OF_SLOT = b"TransActive salt of a slot"


def slot_key(secret: bytes, slot: int) -> bytes:
    """Private key (32 bytes) of a member for one slot (its number), from a secret of its own that nobody else has."""
    return keccak(KEY_OF_SLOT + secret + word(slot))


def slot_salt(secret: bytes, slot: int) -> bytes:
    """Salt of the commitment to a member's index in one slot, from the same secret."""
    return keccak(SALT_OF_SLOT + secret + word(slot))


def member_commitment(index: int, salt: bytes) -> bytes:
    """Commitment to a member's place in the settlement: nothing without the salt, and one place with it."""
    return keccak(word(index) + salt)


@dataclass(frozen=True)
class Allowance:
    """What one key may trade of a slot (its number). key: address, lower case; member: `member_commitment`.

    most_bought_wh, most_sold_wh: sums over all its deals of the slot, each way [Wh]; what one deal undoes of another
    counts too.
    """

    slot: int
    key: str
    member: bytes
    most_bought_wh: int
    most_sold_wh: int

    @property
    def content(self) -> tuple[int, str, bytes, int, int]:
        """Argument of the contract's functions."""
        return self.slot, self.key, self.member, self.most_bought_wh, self.most_sold_wh

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        bounds = words((self.most_bought_wh, self.most_sold_wh))
        return keccak(ALLOWANCE_HASH + word(self.slot) + signing.address_word(self.key) + self.member + bounds)

    def opens(self, index: int, salt: bytes) -> bool:
        """Whether it is the allowance of the member at a place in the settlement."""
        return member_commitment(index, salt) == self.member

    def sign(self, operator: bytes, domain: bytes) -> bytes:
        """The operator's signature for this one allowance, by its private key: for a judge, which sees no roll."""
        return signing.sign(signing.digest(domain, self.hash), operator)

    def check(self, signature: bytes, operator: str, domain: bytes) -> None:
        """Refuse an allowance that `operator` (address) did not sign. Raises SignatureError."""
        what = f"allowance of {self.key} for slot {self.slot}"
        if signing.signer(signing.digest(domain, self.hash), signature, what) != operator.lower():
            raise SignatureError(f"{what} is not the operator's; fetch it again from {operator}")


@dataclass(frozen=True)
class Roll:
    """All allowances of a slot, by rising key; a key's number in it, its seat, names it in messages."""

    slot: int
    allowances: tuple[Allowance, ...]

    @classmethod
    def of(cls, slot: int, allowances: Iterable[Allowance]) -> Roll:
        """Roll of allowances in any order."""
        return cls(slot, tuple(sorted(allowances, key=lambda each: each.key)))

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct."""
        return keccak(ROLL_HASH + word(self.slot) + keccak(b"".join(each.hash for each in self.allowances)))

    @cached_property
    def seats(self) -> dict[str, int]:
        """Seat of each key."""
        return {each.key: seat for seat, each in enumerate(self.allowances)}

    def sign(self, operator: bytes, domain: bytes) -> bytes:
        """The operator's signature, by its private key."""
        return signing.sign(signing.digest(domain, self.hash), operator)

    def check(self, signature: bytes, operator: str, domain: bytes) -> None:
        """Refuse a roll that `operator` (address) did not sign, or with keys out of order. Raises SignatureError."""
        what = f"roll of slot {self.slot}"
        keys = [each.key for each in self.allowances]
        if keys != sorted(set(keys)) or any(each.slot != self.slot for each in self.allowances):
            raise SignatureError(f"{what}: each key once, by rising address, all for this slot; fetch it again")
        if signing.signer(signing.digest(domain, self.hash), signature, what) != operator.lower():
            raise SignatureError(f"{what} is not signed by the operator {operator}; fetch it again")
