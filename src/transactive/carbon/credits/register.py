"""Carbon credits: one credit is one kg CO2e that a project removed or avoided, audited, and used up once.

A project is registered with its auditor, who approves it and then issues. A batch names its project, vintage and the
serial of the standard that it comes from; a serial is written once and never freed. Part of each batch goes to the
buffer, which answers for reversals and is never sold. What is listed for sale is held by the listing. Retired credits
are gone for good and leave a receipt. A refused step changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from transactive.core.errors import CreditError, require
from transactive.core.units import PPM

Kg = Annotated[int, Meta(gt=0, lt=2**62)]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
BUFFER = "buffer"
"""Holder of what answers for reversals."""
LISTING = "listing "
"""Holder of what is for sale, with the listing's number behind it."""
BUFFER_PPM = 200_000
"""Default part of a batch for the buffer: a fifth."""
MOST_BYTES = {"beneficiary": 64, "reason": 96, "period": 48}
"""Room for the words of a receipt: that of the contract."""


class Project(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What was done, by which methodology, where, and who may say so."""

    id: Name
    kind: Literal["removal", "avoidance"]
    methodology: Name
    jurisdiction: Name
    auditor: Name


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Credits of one project and vintage (a year) under one outside serial."""

    number: int
    project: str
    vintage: int
    serial: str
    issued_kg: Kg


class RetirementReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
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

    buffer_ppm: int = BUFFER_PPM
    projects: dict[str, Project] = field(init=False, default_factory=dict)
    approved: set[str] = field(init=False, default_factory=set)
    batches: list[Batch] = field(init=False, default_factory=list)
    holdings: dict[tuple[int, str], int] = field(init=False, default_factory=dict)
    retired_kg: dict[int, int] = field(init=False, default_factory=dict)
    reversed_kg: dict[int, int] = field(init=False, default_factory=dict)
    lost_kg: dict[int, int] = field(init=False, default_factory=dict)
    """What auditors have stated as reversed, by batch, whichever batch's buffer made good for it."""
    receipts: list[RetirementReceipt] = field(init=False, default_factory=list)
    _serials: dict[str, int] = field(init=False, default_factory=dict)

    def register(self, project: Project) -> None:
        """Enter a project; nothing is issued before its auditor approved it. Raises CreditError if it is known."""
        if project.id in self.projects:
            raise CreditError("project-exists", f"project {project.id} is registered already; choose another id")
        self.projects[project.id] = project

    def approve(self, auditor: str, project: str) -> None:
        """Let a project issue, as its auditor. Raises CreditError."""
        self._audited(auditor, project)
        if project in self.approved:
            raise CreditError("approved", f"project {project} is approved already; issue a batch")
        self.approved.add(project)

    def issue(self, auditor: str, project: str, vintage: int, serial: str, kg: int, owner: str) -> Batch:
        """Issue audited credits to an owner, less the buffer's part. Raises CreditError."""
        self._audited(auditor, project)
        if project not in self.approved:
            raise CreditError("not-approved", f"project {project} is not approved; let {auditor} approve it first")
        if not serial or serial in self._serials:
            what = "was used before" if serial else "is missing"
            raise CreditError("serial", f"serial {serial!r} {what}; a serial is written once and never freed")
        self.check_account(owner)
        self._positive(kg)
        batch = Batch(number=len(self.batches), project=project, vintage=vintage, serial=serial, issued_kg=kg)
        buffer_kg = -(-kg * self.buffer_ppm // PPM)  # rounded up: the buffer never has less than its part
        self.batches.append(batch)
        self._serials[serial] = batch.number
        self.retired_kg[batch.number] = self.reversed_kg[batch.number] = self.lost_kg[batch.number] = 0
        self._add(batch.number, BUFFER, buffer_kg)
        self._add(batch.number, owner, kg - buffer_kg)
        return batch

    def transfer(self, batch: int, sender: str, receiver: str, kg: int) -> None:
        """Move credits between accounts. Raises CreditError for the buffer and for more than there is."""
        if sender == BUFFER:
            raise CreditError("buffer", "the buffer is not traded; choose another account")
        self.check_account(receiver)
        self._take(batch, sender, kg)
        self._add(batch, receiver, kg)

    def hold(self, batch: int, seller: str, listing: int, kg: int) -> None:
        """Set credits aside for a listing, so that nothing else is done with them. Raises CreditError."""
        self.check_account(seller)
        self._take(batch, seller, kg)
        self._add(batch, f"{LISTING}{listing}", kg)

    def retire(
        self, batch: int, holder: str, kg: int, *, beneficiary: str, reason: str, period: str
    ) -> RetirementReceipt:
        """Use credits up in a beneficiary's name, for ever; returns the receipt. Raises CreditError."""
        if holder == BUFFER:
            raise CreditError("buffer", "the buffer is not retired; it answers for reversals")
        check_words(beneficiary=beneficiary, reason=reason, period=period)
        self._take(batch, holder, kg)
        first = self.retired_kg[batch]
        self.retired_kg[batch] = first + kg
        receipt = RetirementReceipt(
            number=len(self.receipts), batch=batch, first_kg=first, end_kg=first + kg,
            holder=holder, beneficiary=beneficiary, reason=reason, period=period,
        )  # fmt: skip
        self.receipts.append(receipt)
        return receipt

    def reverse(self, auditor: str, batch: int, kg: int) -> int:
        """Take back what was not lasting out of the buffer, this batch's part first; returns what it lacked [kg].

        Raises CreditError if more of the batch were reversed than was issued.
        """
        self._audited(auditor, self.batch(batch).project)
        self._positive(kg)
        room = self.batch(batch).issued_kg - self.lost_kg[batch]
        if kg > room:
            raise CreditError("reversal", f"batch {batch} can lose {room} kg more, not {kg}; state less")
        self.lost_kg[batch] += kg
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

    def batch(self, number: int) -> Batch:
        """Batch by its number. Raises CreditError if there is none."""
        if not 0 <= number < len(self.batches):
            raise CreditError("unknown-batch", f"batch {number} is not known; list the batches")
        return self.batches[number]

    def number_of(self, serial: str) -> int:
        """Number of the batch with a serial. Raises CreditError if there is none."""
        if serial not in self._serials:
            raise CreditError("unknown-batch", f"serial {serial!r} is not issued; list the batches")
        return self._serials[serial]

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

    def _audited(self, auditor: str, project: str) -> None:
        """Refuse who is not a project's auditor."""
        if project not in self.projects:
            raise CreditError(
                "unknown-project", f"project {project!r} is not registered; register it with its methodology first"
            )
        named = self.projects[project].auditor
        if named != auditor:
            raise CreditError("not-auditor", f"{auditor} is not the auditor of {project}; {named} has that role")

    def check_account(self, name: str) -> None:
        """Raise CreditError for a name that cannot hold credits."""
        if not name or name == BUFFER or name.startswith(LISTING):
            raise CreditError("account", f"{name!r} cannot hold credits or sell them; name an account")

    def _positive(self, kg: int) -> None:
        """Refuse an amount that is none."""
        if not 0 < kg < 2**62:
            raise CreditError("amount", f"{kg} kg cannot be issued or moved; give a whole number above 0")

    def _take(self, batch: int, holder: str, kg: int) -> None:
        """Take credits off an account."""
        self._positive(kg)
        serial = self.batch(batch).serial
        held = self.held_kg(batch, holder)
        if kg > held:
            used = sum(r.end_kg - r.first_kg for r in self.receipts if (r.batch, r.holder) == (batch, holder))
            if used and not held:
                raise CreditError("retired", f"{holder} retired its {used} kg of {serial}; they are used up for ever")
            raise CreditError("balance", f"{holder} holds {held} kg of {serial}, not {kg}; give less")
        self._add(batch, holder, -kg)

    def _add(self, batch: int, holder: str, kg: int) -> None:
        """Change a holding; an empty one is forgotten."""
        amount = self.held_kg(batch, holder) + kg
        if amount:
            self.holdings[batch, holder] = amount
        else:
            self.holdings.pop((batch, holder), None)


def check_words(**words: str) -> None:
    """Refuse a receipt that does not say in whose name, why and for which period. Raises CreditError."""
    for name, text in words.items():
        if not text.strip():
            raise CreditError("receipt", f"{name} is missing; a receipt says in whose name, why and for which period")
        if len(text.encode()) > MOST_BYTES[name]:
            raise CreditError("receipt", f"{name} is longer than {MOST_BYTES[name]} bytes; say it shorter")


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
