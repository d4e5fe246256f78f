"""What a box at a meter signs: the registers at the end of a slot, EIP-712 over secp256k1.

    MeterRecord(address meter,uint256 number,uint256 slot,uint256[] registers,int256[] levels,uint256 quality,
    bytes32 telegram,bytes32 previous)

Records of a meter are numbered from 0 without a gap, and each names the hash of the one before it. So nothing can be
left out, put in or written twice unseen. Registers are those of the meter, which only rise; the energy of a slot is
what they rose. The domain names the chain, like that of the readings which a gateway signs.

Source: EIP-712 (typed structured data).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cached_property
from zlib import crc32

from transactive.core.errors import RecordError, SignatureError
from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO, word, words

NAME = b"TransActive Meter"
RECORD_TYPE = (
    b"MeterRecord(address meter,uint256 number,uint256 slot,uint256[] registers,int256[] levels,uint256 quality,"
    b"bytes32 telegram,bytes32 previous)"
)
RECORD_HASH = keccak(RECORD_TYPE)
REGISTERS = ("import", "export", "generation", "charge", "discharge", "waited")
"""What a record counts [Wh]; waited: what loads drew that can wait."""
MOST_LEVELS = 6
_BODY = struct.Struct(f">20sQQ{len(REGISTERS)}QB{MOST_LEVELS}qB32s32s")
SIZE = _BODY.size + 65 + 4
"""Bytes of every record, so that its place in a file is its number."""


@dataclass(frozen=True)
class MeterRecord:
    """State of a meter as a slot ends.

    meter: address of its key. slot: start of the slot that ended [Unix s]. registers: `REGISTERS`, counted since the
    meter began [Wh]. levels: what its devices hold [Wh], the battery first, at most `MOST_LEVELS`. quality: a
    `ReadingQuality`. telegram: hash of the raw bytes that were read. previous: hash of the record before, zero of the
    first.
    """

    meter: str
    number: int
    slot: int
    registers: tuple[int, ...]
    levels: tuple[int, ...] = ()
    quality: int = 0
    telegram: bytes = ZERO
    previous: bytes = ZERO

    @cached_property
    def hash(self) -> bytes:
        """Hash of the struct, which the next record names."""
        levels = b"".join(level.to_bytes(32, "big", signed=True) for level in self.levels)
        parts = signing.address_word(self.meter) + word(self.number) + word(self.slot)
        return keccak(
            RECORD_HASH + parts + keccak(words(self.registers)) + keccak(levels) + word(self.quality)
            + self.telegram + self.previous
        )  # fmt: skip


@dataclass(frozen=True)
class SignedRecord:
    """A record with the signature of its meter's key (65 bytes)."""

    record: MeterRecord
    signature: bytes

    def to_bytes(self) -> bytes:
        """The record in `SIZE` bytes; a checksum at their end shows a torn write."""
        record = self.record
        levels = (*record.levels, *(0,) * (MOST_LEVELS - len(record.levels)))
        body = _BODY.pack(
            bytes.fromhex(record.meter[2:]), record.number, record.slot, *record.registers, len(record.levels), *levels,
            record.quality, record.telegram, record.previous,
        )  # fmt: skip
        whole = body + self.signature
        return whole + crc32(whole).to_bytes(4, "big")

    @classmethod
    def from_bytes(cls, data: bytes) -> SignedRecord:
        """The record that `to_bytes` wrote. Raises RecordError for bytes that are torn or none."""
        if not is_whole(data):
            raise RecordError("torn", "a record of a meter is torn; send it again")
        meter, number, slot, *rest = _BODY.unpack_from(data)
        registers, rest = rest[: len(REGISTERS)], rest[len(REGISTERS) :]
        count, rest = rest[0], rest[1:]
        if count > MOST_LEVELS:
            raise RecordError("torn", f"a record of a meter has {count} levels; at most {MOST_LEVELS} fit")
        levels, (quality, telegram, previous) = rest[:count], rest[MOST_LEVELS:]
        record = MeterRecord(
            "0x" + meter.hex(), number, slot, tuple(registers), tuple(levels), quality, telegram, previous
        )
        return cls(record, data[_BODY.size : _BODY.size + 65])

    def require_signed(self, chain_id: int) -> None:
        """Require that the meter which the record names has signed it. Raises SignatureError."""
        record = self.record
        what = f"record {record.number} of meter {record.meter}"
        signer = signing.signer(_digest(record, chain_id), self.signature, what)
        if signer != record.meter:
            raise SignatureError(f"{what} is signed by {signer}; enrol the meter with that key, or sign again")


def is_whole(data: bytes) -> bool:
    """Whether no byte of a record is torn."""
    return len(data) == SIZE and crc32(data[:-4]) == int.from_bytes(data[-4:], "big")


def sign_record(record: MeterRecord, key: bytes, chain_id: int) -> SignedRecord:
    """Sign a record with its meter's private key (32 bytes)."""
    return SignedRecord(record, signing.sign(_digest(record, chain_id), key))


def _digest(record: MeterRecord, chain_id: int) -> bytes:
    """What is signed."""
    return signing.digest(signing.domain(NAME, chain_id), record.hash)
