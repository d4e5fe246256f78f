"""Carbon credits: one credit is one kg CO2e that a project removed or avoided, audited, and used up once.

A batch names its project, vintage and the serial of the standard that it comes from; a serial is written once and never
freed. Part of each batch goes to the buffer, which answers for reversals and is never sold. Retired credits
are gone for good and leave a receipt. A refused step changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from transactive.core.errors import CertificateError, require
from transactive.core.units import PPM

Kg = Annotated[int, Meta(gt=0, lt=2**62)]
BUFFER = "buffer"
"""Holder of what answers for reversals."""
BUFFER_PPM = 200_000
"""Default part of a batch for the buffer: a fifth."""


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was done, by which methodology, where, and who may say so."""

    id: str
    kind: Literal["removal", "avoidance"]
    methodology: str
    jurisdiction: str
    auditor: str


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Credits of one project and vintage (a year) under one outside serial."""

    number: int
    project: str
    vintage: int
    serial: str
    issued_kg: Kg


class Receipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a retirement says: of which batch and whose account, in whose name, why, and for which period.

    first_kg … end_kg: the half-open range of the batch's retired kg, so that no two receipts share one.
    """

    number: int
    batch: int
    first_kg: int
    end_kg: int
    holder: str
    beneficiary: str
    reason: str
    period: str


@dataclass(slots=True)
class CreditRegister:
    """All credits. holdings: kg by (batch, holder), retired and reversed kg by batch."""

    projects: dict[str, Project]
    buffer_ppm: int = BUFFER_PPM
    batches: list[Batch] = field(init=False, default_factory=list)
    holdings: dict[tuple[int, str], int] = field(init=False, default_factory=dict)
    retired_kg: dict[int, int] = field(init=False, default_factory=dict)
    reversed_kg: dict[int, int] = field(init=False, default_factory=dict)
    receipts: list[Receipt] = field(init=False, default_factory=list)
    _serials: set[str] = field(init=False, default_factory=set)

    def issue(self, auditor: str, project: str, vintage: int, serial: str, kg: int, owner: str) -> Batch:
        """Issue audited credits to an owner, less the buffer's part. Raises CertificateError."""
        if project not in self.projects:
            raise CertificateError(f"project {project!r} is not registered; register it with its methodology first")
        if self.projects[project].auditor != auditor:
            raise CertificateError(
                f"{auditor} is not the auditor of {project}; let {self.projects[project].auditor} issue"
            )
        if not serial or serial in self._serials:
            what = "was used before" if serial else "is missing"
            raise CertificateError(f"serial {serial!r} {what}; a serial is written once and never freed")
        if not owner or owner == BUFFER:
            raise CertificateError(f"owner {owner!r} cannot hold what is issued; name an account")
        if kg <= 0:
            raise CertificateError(f"{project}: cannot issue {kg} kg; give a whole number above 0")
        batch = Batch(number=len(self.batches), project=project, vintage=vintage, serial=serial, issued_kg=kg)
        buffer_kg = -(-kg * self.buffer_ppm // PPM)  # rounded up: the buffer never has less than its part
        self.batches.append(batch)
        self._serials.add(serial)
        self.retired_kg[batch.number] = self.reversed_kg[batch.number] = 0
        self._add(batch.number, BUFFER, buffer_kg)
        self._add(batch.number, owner, kg - buffer_kg)
        return batch

    def transfer(self, batch: int, sender: str, receiver: str, kg: int) -> None:
        """Move credits between accounts. Raises CertificateError for the buffer and for more than there is."""
        if BUFFER in (sender, receiver):
            raise CertificateError("the buffer is not traded; choose another account")
        if not receiver:
            raise CertificateError("the receiver is missing; name one")
        self._take(batch, sender, kg)
        self._add(batch, receiver, kg)

    def retire(self, batch: int, holder: str, kg: int, *, beneficiary: str, reason: str, period: str) -> Receipt:
        """Use credits up in a beneficiary's name, for ever; returns the receipt. Raises CertificateError."""
        if holder == BUFFER:
            raise CertificateError("the buffer is not retired; it answers for reversals")
        for name, text in (("beneficiary", beneficiary), ("reason", reason), ("period", period)):
            if not text:
                raise CertificateError(f"{name} is missing; a receipt says in whose name, why and for which period")
        self._take(batch, holder, kg)
        first = self.retired_kg[batch]
        self.retired_kg[batch] = first + kg
        receipt = Receipt(
            number=len(self.receipts), batch=batch, first_kg=first, end_kg=first + kg,
            holder=holder, beneficiary=beneficiary, reason=reason, period=period,
        )  # fmt: skip
        self.receipts.append(receipt)
        return receipt

    def reverse(self, auditor: str, batch: int, kg: int) -> int:
        """Take back what was not lasting out of the buffer, this batch's part first; returns what it lacked [kg]."""
        if not 0 <= batch < len(self.batches) or self.projects[self.batches[batch].project].auditor != auditor:
            raise CertificateError(f"{auditor} is not the auditor of batch {batch}; only its auditor states a reversal")
        if kg <= 0:
            raise CertificateError(f"cannot reverse {kg} kg; give a whole number above 0")
        left = kg
        for number in (batch, *(b.number for b in self.batches if b.number != batch)):
            taken = min(left, self.held_kg(number, BUFFER))
            self._add(number, BUFFER, -taken)
            self.reversed_kg[number] += taken
            left -= taken
        return left

    def held_kg(self, batch: int, holder: str) -> int:
        """What an account holds of a batch [kg]."""
        return self.holdings.get((batch, holder), 0)

    def check(self) -> None:
        """Raise RuleBroken if credits were made or lost, or a serial or a retired kg was used twice."""
        for batch in self.batches:
            held = sum(kg for (number, _), kg in self.holdings.items() if number == batch.number)
            gone = self.retired_kg[batch.number] + self.reversed_kg[batch.number]
            require(held + gone == batch.issued_kg, "credits held, retired and reversed are those issued")
            ranges = sorted((r.first_kg, r.end_kg) for r in self.receipts if r.batch == batch.number)
            ends = [0, *(end for _, end in ranges)]
            require([first for first, _ in ranges] == ends[:-1], "every retired kg has one receipt")
            require(ends[-1] == self.retired_kg[batch.number], "what is retired has its receipts")
        require(all(kg >= 0 for kg in self.holdings.values()), "nobody holds less than nothing")
        require(len({b.serial for b in self.batches}) == len(self.batches), "a serial is used once")

    def _take(self, batch: int, holder: str, kg: int) -> None:
        """Take credits off an account."""
        if kg <= 0:
            raise CertificateError(f"cannot move {kg} kg; give a whole number above 0")
        if not 0 <= batch < len(self.batches):
            raise CertificateError(f"batch {batch} is not known; list the batches")
        held = self.held_kg(batch, holder)
        if kg > held:
            raise CertificateError(f"{holder} holds {held} kg of batch {batch}, not {kg}; give less")
        self._add(batch, holder, -kg)

    def _add(self, batch: int, holder: str, kg: int) -> None:
        """Change a holding; an empty one is forgotten."""
        amount = self.held_kg(batch, holder) + kg
        if amount:
            self.holdings[batch, holder] = amount
        else:
            self.holdings.pop((batch, holder), None)


def allowed(
    register: CreditRegister, batch: int, *, kinds: Iterable[str], vintage_from: int, methodologies: Iterable[str]
) -> bool:
    """Whether a batch passes a policy's filters; an empty list of kinds or methodologies lets all pass."""
    facts = register.batches[batch]
    project = register.projects[facts.project]
    kinds, methodologies = set(kinds), set(methodologies)
    return (
        facts.vintage >= vintage_from
        and (not kinds or project.kind in kinds)
        and (not methodologies or project.methodology in methodologies)
    )
