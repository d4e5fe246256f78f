"""What a collector signs of a meter's record: that it was on disk at a time, EIP-712 in the gateway's domain.

    Received(uint256 slot,uint256 meter,uint256 time)

Whose slot was settled as if nobody had metered it, although the record came in time, shows the receipt to the judge
(`chain/contracts/demands.vy`).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from eth_hash.auto import keccak

from transactive.core.proofs import signing
from transactive.core.proofs.merkle import word

RECEIVED_TYPE = b"Received(uint256 slot,uint256 meter,uint256 time)"
DOMAIN = b"TransActive Metering"
_BODY = struct.Struct(">QIQ")
SIGNED_BYTES = _BODY.size + 65
WAIT = 30
"""What part of a slot after its end a record has to come within, at least, to count."""


@dataclass(frozen=True, slots=True)
class RecordReceipt:
    """That the record of a slot was on disk at a time, both [Unix s]. meter: index of its member."""

    slot: int
    meter: int
    time: int

    def digest(self, chain_id: int) -> bytes:
        """EIP-712 digest that the collector signs."""
        told = keccak(keccak(RECEIVED_TYPE) + word(self.slot) + word(self.meter) + word(self.time))
        return signing.digest(signing.domain(DOMAIN, chain_id), told)

    def sign(self, key: bytes, chain_id: int) -> bytes:
        """Signature of a collector's private key (32 bytes)."""
        return signing.sign(self.digest(chain_id), key)

    def to_bytes(self, signature: bytes) -> bytes:
        """The receipt with its signature in `SIGNED_BYTES`, as boxes are told it."""
        return _BODY.pack(self.slot, self.meter, self.time) + signature

    @classmethod
    def from_bytes(cls, data: bytes) -> tuple[RecordReceipt, bytes]:
        """The receipt and the signature that `to_bytes` wrote."""
        return cls(*_BODY.unpack_from(data)), data[_BODY.size : SIGNED_BYTES]


def least_patience(slot_seconds: int) -> int:
    """How long after a slot's end a meter has to be waited for, at least [s]."""
    return slot_seconds // WAIT
