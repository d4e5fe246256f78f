"""What a slot says of carbon credits: what somebody wanted covered, what was retired, what an asset earned.

Each is one canonical JSON, whose SHA-256 stands in the record of every member that it concerns
(`carbon.certificates.records`).
Whole kg; carbon in mg; prices in µ¤ per tonne, the same number as n¤ per kg. account: whose it is.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

Whole = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Signed = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class CreditNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="what"):
    """Base of the notes: whom it concerns."""

    account: Whole


class Need(CreditNote, frozen=True, kw_only=True, tag="need"):
    """What a policy wanted covered of the residual carbon of the slots [first, end), and how far it was.

        wanted = ⌈residual x coverage⌉; ahead = ahead before + kg retired − wanted, negative for what is still uncovered

    Of the policy: coverage, highest price, kinds and methodologies, where empty lets all pass, and oldest vintage.
    """

    first_slot: Whole
    end: Whole
    residual_mg: Whole
    coverage_ppm: Whole
    most_micro_per_t: Whole
    kinds: tuple[str, ...]
    vintage_from: int
    methodologies: tuple[str, ...]
    wanted_mg: Whole
    ahead_before_mg: Signed
    retired_kg: Whole
    ahead_mg: Signed

    def allows(self, note: Retired) -> bool:
        """Whether the policy lets credits pass at their price."""
        return (
            note.price_micro_per_t <= self.most_micro_per_t
            and note.vintage >= self.vintage_from
            and (not self.kinds or note.kind in self.kinds)
            and (not self.methodologies or note.methodology in self.methodologies)
        )


class BatchNote(CreditNote, frozen=True, kw_only=True):
    """Base of the notes on credits: which, of which project. batch: number in the register."""

    batch: Whole
    serial: str
    project: str
    kind: str
    methodology: str
    vintage: Whole
    auditor: str


class Retired(BatchNote, frozen=True, kw_only=True, tag="retired"):
    """Credits bought by `account` from `seller` and used up: the kg [first, end) of a batch, under one receipt."""

    receipt: Whole
    first_kg: Whole
    end_kg: Whole
    seller: Whole
    price_micro_per_t: Whole
    beneficiary: str
    reason: str
    period: str

    @property
    def kg(self) -> int:
        """How many."""
        return self.end_kg - self.first_kg


class Avoided(BatchNote, frozen=True, kw_only=True, tag="avoided"):
    """Credits issued for what an asset of `account` gave in the slots [first, end), for which it got no certificate.

        gross = Σ (generation − ⌈generation x baseline⌉) x marginal factor, a slot after the other
        whole kg of carried before + gross − project − leakage are issued, the rest is carried on

    counted_wh: generation beyond the baseline; marginal_g_per_kwh: lower bound of each slot. buffer_kg: of the issued,
    what answers for reversals. additional: why the asset would not be there anyway.
    """

    first_slot: Whole
    end: Whole
    generation_wh: Whole
    counted_wh: Whole
    baseline_ppm: Whole
    marginal_g_per_kwh: tuple[Whole, ...]
    gross_mg: Whole
    project_mg: Whole
    leakage_mg: Whole
    carried_before_mg: Signed
    carried_mg: Signed
    issued_kg: Whole
    buffer_kg: Whole
    additional: str


Note: TypeAlias = Need | Retired | Avoided

_DECODER: msgspec.json.Decoder[Note] = msgspec.json.Decoder(Note)


def encode_note(note: Note) -> bytes:
    """Canonical JSON of a note."""
    return msgspec.json.encode(note, order="sorted")


def decode_note(data: bytes | str) -> Note:
    """Note from its JSON."""
    return _DECODER.decode(data)


def note_hash(note: Note) -> bytes:
    """SHA-256 of a note."""
    return sha256(encode_note(note)).digest()
