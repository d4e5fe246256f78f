"""What the contract of carbon credits must do, in plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from tests.twins.certificates import CertificatesTwin
from tests.twins.multitoken import MultitokenTwin
from transactive.chain.twins.refusals import refusals
from transactive.chain.twins.registry import NOBODY
from transactive.core.units import PPM

MOST_KG = 2**62
MOST_G = 1_500
"""What a kWh can avoid [g]."""

refuse_unless = refusals("carbon_credits")


@dataclass(slots=True)
class BatchTwin:
    """One batch [kg]: issued = held + buffer + retired + reversed."""

    project: bytes
    vintage: int
    issued: int
    buffer: int
    retired: int = 0
    reversed: int = 0


class CarbonCreditsTwin:
    """Credits with their projects, buffer and receipts; `own` are the addresses that can hold nothing."""

    def __init__(self, *, owner: str, buffer_ppm: int, own: tuple[str, ...] = ()) -> None:
        self.owner, self.pending_owner, self.buffer_ppm = owner, "", buffer_ppm
        self.tokens = MultitokenTwin(own)
        self.lost: Counter[int] = Counter()
        """By batch: kg that were stated as reversed."""
        self.auditors: dict[bytes, str] = {}
        self.removals: set[bytes] = set()
        self.certificates: CertificatesTwin | None = None
        self.batches: list[BatchTwin] = []
        self.serials: set[bytes] = set()
        self.receipts: list[tuple[int, int, int, str, str, str, str]] = []

    def register_project(self, caller: str, project: bytes, auditor: str, *, removal: bool = False) -> None:
        """Name a project and its auditor."""
        refuse_unless(caller == self.owner, "not the owner")
        refuse_unless(project != bytes(32), "no project")
        refuse_unless(auditor != NOBODY, "no auditor")
        refuse_unless(project not in self.auditors, "project exists")
        self.auditors[project] = auditor
        if removal:
            self.removals.add(project)

    def issue(self, caller: str, project: bytes, vintage: int, serial: bytes, kg: int, receiver: str) -> int:
        """Issue credits, less the buffer's part."""
        self._check_issue(caller, project, serial, kg, receiver)
        in_buffer = -(-kg * self.buffer_ppm // PPM)
        self.tokens.mint(receiver, len(self.batches), kg - in_buffer)
        self.serials.add(serial)
        self.batches.append(BatchTwin(project, vintage, kg, in_buffer))
        return len(self.batches) - 1

    def issue_avoided(
        self,
        caller: str,
        project: bytes,
        vintage: int,
        serial: bytes,
        kg: int,
        receiver: str,
        member: int,
        slots: Sequence[int],
        own: str,
    ) -> int:
        """Issue credits for what a member avoided in slots without certificates; own: the contract's address."""
        refuse_unless(self.certificates is not None, "no certificates")
        assert self.certificates
        refuse_unless(project not in self.removals, "a removal")
        self._check_issue(caller, project, serial, kg, receiver)
        with self.certificates.undone_if_refused():
            energy = sum(self.certificates.credit(own, slot, member) for slot in slots)
            refuse_unless(kg * 10**6 <= energy * MOST_G, "more than can be avoided")
        return self.issue(caller, project, vintage, serial, kg, receiver)

    def _check_issue(self, caller: str, project: bytes, serial: bytes, kg: int, receiver: str) -> None:
        """Refuse what no batch can be."""
        refuse_unless(caller == self.auditors.get(project), "not the auditor")
        refuse_unless(serial != bytes(32), "no serial")
        refuse_unless(serial not in self.serials, "serial used")
        refuse_unless(0 < kg < MOST_KG, "bad amount")
        self.tokens.check_receiver(receiver)

    def set_certificates(self, caller: str, certificates: CertificatesTwin | None) -> None:
        """Name the contract of certificates, once; None is nobody's address."""
        refuse_unless(caller == self.owner, "not the owner")
        refuse_unless(self.certificates is None and certificates is not None, "certificates are fixed")
        self.certificates = certificates

    def retire(self, caller: str, batch: int, kg: int, beneficiary: str, reason: str, period: str) -> int:
        """Use credits up for ever."""
        refuse_unless(kg > 0, "bad amount")
        refuse_unless(all((beneficiary, reason, period)), "receipt incomplete")
        self.tokens.burn(caller, batch, kg)
        first = self.batches[batch].retired
        self.batches[batch].retired = first + kg
        self.receipts.append((batch, first, first + kg, caller, beneficiary, reason, period))
        return len(self.receipts) - 1

    def reverse(self, caller: str, batch: int, kg: int, others: Sequence[int]) -> int:
        """Let the buffer make good for what did not last; returns what it lacked."""
        known = batch < len(self.batches)
        refuse_unless(known and caller == self.auditors[self.batches[batch].project], "not the auditor")
        refuse_unless(kg > 0, "bad amount")
        refuse_unless(self.lost[batch] + kg <= self.batches[batch].issued, "more than was issued")
        self.lost[batch] += kg
        left = kg
        for number in (batch, *others):
            if number < len(self.batches):
                taken = min(left, self.batches[number].buffer)
                self.batches[number].buffer -= taken
                self.batches[number].reversed += taken
                left -= taken
        return left

    def offer_ownership(self, caller: str, candidate: str) -> None:
        """First step of an owner change."""
        refuse_unless(caller == self.owner, "not the owner")
        self.pending_owner = candidate

    def accept_ownership(self, caller: str) -> None:
        """Second step of an owner change."""
        refuse_unless(caller == self.pending_owner, "not the candidate")
        self.owner, self.pending_owner = caller, ""
