"""What makes a run provable: readings that enter with their gateway's signature, and a digest over all slots."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from transactive.core.errors import RuleBroken
from transactive.core.proofs import signing
from transactive.core.proofs.corrections import SIGNATURE_BYTES, correction_digest
from transactive.core.proofs.members.sharing_agreement import SignedAgreement
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Readings
from transactive.metering.gateway import enter, sign

LOCAL_CHAIN_ID = 31337
"""Chain that readings are signed for in a run without a chain."""
BEGINNING = hashlib.sha256(b"transactive").digest()


@dataclass(frozen=True, slots=True)
class Gateway:
    """Who signs the readings: a private key and its address."""

    key: bytes
    address: str


def beginning(agreements: Sequence[SignedAgreement]) -> bytes:
    """Digest that a run begins with: bound to the agreement that it shares by, where it does."""
    return hashlib.sha256(BEGINNING + agreements[0].agreement.keys).digest() if agreements else BEGINNING


@dataclass(slots=True)
class SignedRun:
    """A run that can be proved. digest: over the books of all slots so far.

    groups: members that settle together, where one settlement has no room for all, with the gateway of each.
    """

    gateway: Gateway
    chain_id: int
    digest: bytes = BEGINNING
    groups: Sequence[tuple[range, Gateway]] = ()

    def enter(self, readings: Readings) -> Readings:
        """Pass readings on as a live gateway does: signed, and accepted only with its signature."""
        everybody = [(range(len(readings.import_wh)), self.gateway)]
        for members, gateway in self.groups or everybody:
            enter(sign(readings.of(members), gateway.key, self.chain_id), gateway.address, self.chain_id)
        return readings

    def add(self, book: SlotBook) -> None:
        """Take a slot into the digest."""
        self.digest = hashlib.sha256(self.digest + book.digest()).digest()

    def sign_correction(self, line: list[int]) -> bytes:
        """Signature of a corrected reading, a line in the order of its numbers."""
        for members, gateway in self.groups:
            if line[0] in members:
                placed = [members.index(line[0]), *line[1:]]
                return signing.sign(correction_digest(placed, self.chain_id), gateway.key)
        return signing.sign(correction_digest(line, self.chain_id), self.gateway.key)

    def state_hash(self, block: bytes) -> str:
        """SHA-256 over the digest and the hash of the last block, which is empty without a chain."""
        return hashlib.sha256(self.digest + block).hexdigest()


@dataclass(slots=True)
class UnsignedRun:
    """A run that nobody will have to prove."""

    digest: bytes = BEGINNING

    def enter(self, readings: Readings) -> Readings:
        """Take readings as they are."""
        return readings

    def add(self, book: SlotBook) -> None:
        """Nothing is hashed."""

    def sign_correction(self, _: list[int]) -> bytes:
        """Nothing is signed."""
        return bytes(SIGNATURE_BYTES)

    def state_hash(self, block: bytes) -> str:
        """There is none. Raises RuleBroken."""
        raise RuleBroken(f"a run with a state hash has a gateway; block {block.hex()} proves nothing alone")
