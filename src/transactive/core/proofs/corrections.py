"""Corrected readings of settled slots, as an open slot settles and commits them: a line each, apart from its energy.

A line says which reading it replaces and by what, so that the lines of one meter and slot form a chain: each begins
where the one before ended, and the first begins at the reading that was settled. The gateway signs every line:

    Correction(uint256 slot,uint256 meter,uint256 previous,uint256 was,uint256 now)

with the start of the corrected slot, the start of the slot whose commitment holds what is replaced, and both readings
packed as in `core.proofs.merkle.REGISTERS`. It is another type than that of readings, so a corrected reading is never
evidence against the slot in which the first one was settled.

The lines of a member have one hash, which stands as `orders` in its leaf of the slot's certificates:

    line   SHA-256 of 16 words: member, start of the corrected slot, `previous`, was, now, both prices of the corrected
           slot [µ¤/kWh] as two's complement, the five columns of certificates, metered, and the signature as r, s and v
    lines  SHA-256 of "transactive corrections 1" and the hashes of all lines, in their order; zero without any

`chain/contracts/modules/corrections.vy` reads the same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np

from transactive.core.proofs import signing
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import REGISTERS, ZERO, word, words
from transactive.core.tables import Table
from transactive.core.units import IntArray

PREFIX = b"transactive corrections 1"
CORRECTION_TYPE = b"Correction(uint256 slot,uint256 meter,uint256 previous,uint256 was,uint256 now)"
DOMAIN = b"TransActive Metering"
SIGNATURE_BYTES = 65
NUMBERS = (
    *("member", "origin", "previous"),
    *("was_import_wh", "was_export_wh", "was_generation_wh", "now_import_wh", "now_export_wh", "now_generation_wh"),
    *("charge_wh", "discharge_wh", "supply", "feed_in"),
    *("first_wh", "issued_wh", "withdrawn_wh", "shortfall_wh", "repaid_wh", "metered"),
)
"""Columns of whole numbers, in the order of a line."""


def _unsigned() -> IntArray:
    return np.zeros((0, SIGNATURE_BYTES), np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Corrections(Table):
    """Corrected readings that slot `slot` settles, shape (corrections,), by origin and member.

    origin: the slot that was metered; previous: the slot that settled what is replaced, the origin itself at first
    [Unix s]. was, now: registers [Wh]; what charged and discharged stays as it was. supply, feed_in: of the origin
    [µ¤/kWh]. Certificates of the member's generation in the origin [Wh]: issued from first_wh on, withdrawn before
    they left the producer, shortfall_wh of what had left, repaid_wh of an earlier shortfall in place of an issue.
    metered: 1, or 0 for a reading that was estimated again, which issues nothing. signature: of the gateway,
    (corrections, 65), zeros without one.
    """

    slot: int
    member: IntArray
    origin: IntArray
    previous: IntArray
    was_import_wh: IntArray
    was_export_wh: IntArray
    was_generation_wh: IntArray
    now_import_wh: IntArray
    now_export_wh: IntArray
    now_generation_wh: IntArray
    charge_wh: IntArray
    discharge_wh: IntArray
    supply: IntArray
    feed_in: IntArray
    first_wh: IntArray
    issued_wh: IntArray
    withdrawn_wh: IntArray
    shortfall_wh: IntArray
    repaid_wh: IntArray
    metered: IntArray
    signature: IntArray = field(default_factory=_unsigned)

    def __len__(self) -> int:
        return len(self.member)

    @classmethod
    def none(cls, slot: int) -> Corrections:
        """No correction."""
        return cls(slot, *[np.zeros(0, np.int64)] * len(NUMBERS))

    @classmethod
    def of(cls, slot: int, rows: IntArray, signature: IntArray) -> Corrections:
        """Corrections from rows, (corrections, numbers), in the order of `NUMBERS`."""
        numbers = dict(zip(NUMBERS, np.ascontiguousarray(rows.T), strict=True))
        return cls(slot=slot, signature=signature, **numbers)

    @property
    def rows(self) -> IntArray:
        """All numbers, (corrections, numbers), in the order of `NUMBERS`."""
        return np.stack([getattr(self, name) for name in NUMBERS], axis=1)

    @property
    def now_used_wh(self) -> IntArray:
        """What each member used in the origin by the corrected reading [Wh]."""
        return self.now_import_wh + self.now_generation_wh + self.discharge_wh - self.now_export_wh - self.charge_wh

    def only(self, member: int) -> Corrections:
        """The corrections of one member."""
        mine = self.member == member
        return Corrections.of(self.slot, self.rows[mine], self.signature[mine])

    def owed_wh(self, members: int) -> IntArray:
        """What these corrections add to each member's shortfall of certificates [Wh], (members,); below 0: repaid."""
        owed = np.zeros(members, np.int64)
        np.add.at(owed, self.member, self.shortfall_wh - self.repaid_wh)
        return owed

    def placed(self, member: int, place: int) -> Corrections:
        """The corrections of one member as its settlement knows it: by its place there."""
        mine = self.only(member)
        return replace(mine, member=np.full(len(mine), place, np.int64))

    def hashes(self, places: Sequence[int]) -> list[bytes]:
        """Hash of each member's lines, zero for none. places: of each member in its settlement."""
        found = [ZERO] * len(places)
        for member in np.unique(self.member).tolist():
            found[member] = self.placed(member, places[member]).lines_hash()
        return found

    def lines_hash(self) -> bytes:
        """Hash of all lines here, zero for none."""
        lines = [line_hash(row, bytes(s)) for row, s in zip(self.rows.tolist(), self.signature.tolist(), strict=True)]
        return sha256(PREFIX + b"".join(lines)).digest() if lines else ZERO


def readings_of(row: list[int]) -> tuple[int, int]:
    """Both readings of a line as packed registers: what is replaced, and by what. row: in the order of `NUMBERS`."""
    charge, discharge = row[9:11]
    return REGISTERS.pack((*row[3:6], charge, discharge)), REGISTERS.pack((*row[6:9], charge, discharge))


def line_words(row: list[int], signature: bytes) -> list[int]:
    """The sixteen words of a line, from its numbers and its signature."""
    r, s, v = (int.from_bytes(part, "big") for part in (signature[:32], signature[32:64], signature[64:]))
    return [*row[:3], *readings_of(row), *row[11:], r, s, v]


def line_hash(row: list[int], signature: bytes) -> bytes:
    """Hash of a line from its numbers and its signature."""
    return sha256(words(line_words(row, signature))).digest()


def correction_digest(row: list[int], chain_id: int) -> bytes:
    """EIP-712 digest of a line that the gateway signs. row: in the order of `NUMBERS`."""
    member, origin, previous, *_ = row
    told = word(origin) + word(member) + word(previous) + b"".join(map(word, readings_of(row)))
    return signing.digest(signing.domain(DOMAIN, chain_id), keccak(keccak(CORRECTION_TYPE) + told))
