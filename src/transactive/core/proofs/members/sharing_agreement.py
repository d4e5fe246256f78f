"""The sharing agreement that each member signs: by which rules, from which slot on, what is shared is divided.

Typed data of EIP-712 under the domain of the settlement contract, as orders are. What is signed is the hash of the
terms: the rules of sharing, the members' shares, and the SHA-256 of shares by the hour where a file gives them. With
the agreement and all readings anyone can do the division again. That it was done so is trusted by the contract, which
does not know the agreement; `transactive verify --state` finds a wrong share.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import word
from transactive.core.proofs.signed_orders import SigningPlace

TYPE_HASH = keccak(b"SharingAgreement(uint256 account,uint256 version,uint256 since,bytes32 keys)")


class Agreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Terms from a slot on. terms: canonical JSON of the rules.

    coefficients: SHA-256 of the shares by the hour of the slots from `since` to before `until` [Unix s], in
    hexadecimal; empty, and 0, where no file gives any.
    """

    version: int
    since: int
    terms: str
    coefficients: str = ""
    until: int = 0

    @property
    def keys(self) -> bytes:
        """Hash of what is agreed."""
        return keccak(keccak(self.terms.encode()) + bytes.fromhex(self.coefficients) + word(self.until))

    def struct(self, account: int) -> bytes:
        """Hash of the struct that an account signs."""
        return keccak(TYPE_HASH + word(account) + word(self.version) + word(self.since) + self.keys)


class SignedAgreement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An agreement with each account's signature in order, 0x-hex; none where a run has no chain."""

    agreement: Agreement
    signatures: tuple[str, ...] = ()


def sign(agreement: Agreement, keys: Sequence[bytes], places: Sequence[SigningPlace]) -> SignedAgreement:
    """Sign with the members' private keys, in their order. places: where each signs."""
    made = (
        "0x" + signing.sign(signing.digest(place.domain, agreement.struct(place.index)), key).hex()
        for place, key in zip(places, keys, strict=True)
    )
    return SignedAgreement(agreement, tuple(made))


def check(signed: SignedAgreement, account: int, member: str, place: SigningPlace) -> None:
    """Refuse an agreement that `member` (address) did not sign at its place. Raises SignatureError."""
    what = f"sharing agreement {signed.agreement.version} of account {account}"
    if account >= len(signed.signatures):
        raise SignatureError(f"{what} is not signed; let the member sign it")
    signature = bytes.fromhex(signed.signatures[account].removeprefix("0x"))
    found = signing.signer(signing.digest(place.domain, signed.agreement.struct(place.index)), signature, what)
    if found != member.lower():
        raise SignatureError(f"{what} is signed by {found}, not by {member.lower()}; sign with the member's key")


def in_force(given: Iterable[SignedAgreement], slot: int) -> SignedAgreement | None:
    """The agreement that holds in a slot [Unix s]: the latest begun."""
    begun = [each for each in given if each.agreement.since <= slot]
    return max(begun, key=lambda each: each.agreement.version, default=None)
