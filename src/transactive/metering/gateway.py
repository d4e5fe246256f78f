"""One signature for all readings of a slot: the gateway signs the root of their tree, EIP-712 over secp256k1.

The tree has a leaf for each meter with its five registers as sums (`core.proofs.merkle.REGISTERS`), so the signed
totals are the community's. Any member can prove its own reading against the signed root.

    Readings(uint256 slot,uint256 meters,bytes32 root,uint256 totals)

For the contract of certificates that issues without roots (`chain/contracts/certificates.vy`) it signs the registers
themselves, in that contract's domain:

    Issue(uint256 slot,uint256[] registers)

Sources: EIP-712 (typed structured data), EIP-2 (low s).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from transactive.core.errors import SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import REGISTERS, Tree, word
from transactive.core.tables import Readings

READINGS_TYPE = b"Readings(uint256 slot,uint256 meters,bytes32 root,uint256 totals)"
ISSUE_TYPE = b"Issue(uint256 slot,uint256[] registers,uint256 spared)"
AT_HAND = 2
"""Trees that stay at hand: where one machine signs and checks, both ask for the same one after the other."""
NAME, CERTIFICATES = b"TransActive Metering", b"TransActive Certificates"


@dataclass(frozen=True, slots=True)
class SignedReadings:
    """Readings of a slot with the gateway's signature (65 bytes: r, s, v of 27 or 28)."""

    readings: Readings
    signature: bytes


def readings_tree(readings: Readings) -> Tree:
    """Merkle-sum tree of a slot's registers, one leaf a meter, keyed by the slot's start [Unix s]."""
    columns = (
        readings.import_wh,
        readings.export_wh,
        readings.generation_wh,
        readings.charge_wh,
        readings.discharge_wh,
    )
    return _tree(readings.slot, tuple(REGISTERS.pack_rows(columns)))


@lru_cache(maxsize=AT_HAND)
def _tree(slot: int, registers: tuple[int, ...]) -> Tree:
    """The tree of these very registers."""
    return Tree.of_slot(slot, registers)


def digest(readings: Readings, chain_id: int) -> bytes:
    """EIP-712 digest that the gateway signs."""
    tree = readings_tree(readings)
    meters = len(readings.import_wh)
    message = keccak(keccak(READINGS_TYPE) + word(readings.slot) + word(meters) + tree.root + word(tree.totals))
    return signing.digest(signing.domain(NAME, chain_id), message)


def sign(readings: Readings, key: bytes, chain_id: int) -> SignedReadings:
    """Sign a slot's readings with the gateway's private key (32 bytes)."""
    return SignedReadings(readings, signing.sign(digest(readings, chain_id), key))


def sign_issue(number: int, registers: Sequence[int], spared: int, key: bytes, chain_id: int, contract: str) -> bytes:
    """Signature on the packed registers of all meters in slot `number`, for a contract of certificates (address).

    spared: bitmap of the members that get no certificates for them.
    """
    message = keccak(keccak(ISSUE_TYPE) + word(number) + keccak(b"".join(map(word, registers))) + word(spared))
    return signing.sign(signing.digest(signing.domain(CERTIFICATES, chain_id, contract), message), key)


def enter(signed: SignedReadings, gateway: str, chain_id: int) -> Readings:
    """Accept readings only with the signature of `gateway` (address). Raises SignatureError otherwise."""
    slot = signed.readings.slot
    try:
        message = digest(signed.readings, chain_id)
    except (ValueError, OverflowError) as error:  # a register or slot that fits no leaf
        raise SignatureError(f"signature of slot {slot} is malformed; sign again") from error
    signer = signing.signer(message, signed.signature, f"slot {slot}")
    if signer != gateway.lower():
        raise SignatureError(
            f"readings of slot {slot} are signed by {signer}, not by the gateway {gateway.lower()};"
            " register the key or sign again"
        )
    return signed.readings
