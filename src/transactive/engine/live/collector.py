"""The collector: takes records of meters, refuses what is wrong with its reason, acknowledges what is on disk only.

Records of a meter enter in the order of their numbers. What it answers is how many of them are on disk, which alone
lets a box forget: a broker that loses a message does no harm, since the box says it again.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from transactive.core.errors import RecordError, SignatureError
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.meter_records import MeterRecord, SignedRecord
from transactive.core.proofs.receipts import RecordReceipt, least_patience
from transactive.engine.live.waiting import Time
from transactive.store.live.journal import ArrivalKind, Enrolment, Journal
from transactive.store.live.standing import MeterStanding

AHEAD = 300
"""How much later than the market's clock a slot may end that a record tells of [s]."""


@dataclass(frozen=True, slots=True)
class Newest:
    """The last record of a meter that is on disk. count: of its records."""

    count: int = 0
    slot: int = 0
    registers: tuple[int, ...] = ()
    hash: bytes = ZERO

    @classmethod
    def of(cls, record: MeterRecord) -> Newest:
        """A meter whose last record is this one."""
        return cls(record.number + 1, record.slot, record.registers, record.hash)


class Collector:
    """Takes records in from any thread. refused: how many, by reason. entered: told whenever something came in."""

    def __init__(self, journal: Journal, clock: Time, slot_seconds: int, chain_id: int) -> None:
        """Go on after what the journal has."""
        self._journal, self._clock = journal, clock
        self._slot_seconds, self._chain_id = slot_seconds, chain_id
        self._newest: dict[str, Newest] = {}
        self._members: dict[int, str] = {}
        self._since: dict[str, tuple[int, int]] = {}
        self._receive: Callable[[RecordReceipt], bytes] | None = None
        self._receipts: dict[str, bytes] = {}
        self._used: set[str] = set()
        self.refused = Counter[str]()
        self.entered = threading.Condition()
        for entry in journal.all_after(0):
            if entry.kind is ArrivalKind.RECORD:
                record = SignedRecord.from_bytes(entry.body).record
                self._newest[record.meter] = Newest.of(record)
            elif entry.kind is ArrivalKind.ENROLLED:
                self._enrol(msgspec.json.decode(entry.body, type=Enrolment), entry.received)

    def enrol(self, enrolments: Iterable[Enrolment]) -> None:
        """Take meters of members in, each in place of the one that its member had; not again what is there."""
        with self.entered:
            new = [one for one in enrolments if self._members.get(one.member) != one.address]
            now = self._now
            self._journal.append(now, ArrivalKind.ENROLLED, [msgspec.json.encode(one) for one in new])
            for one in new:
                self._enrol(one, now)

    def sign_receipts(self, receive: Callable[[RecordReceipt], bytes]) -> None:
        """Give receipts from now on for records that come in time. receive: makes a signed one."""
        self._receive = receive

    def receipts(self, meter: str) -> bytes:
        """Receipts for a meter's records that nobody has asked for yet."""
        return self._receipts.pop(meter, b"")

    @property
    def _now(self) -> int:
        """The time, never before that of an entry [Unix s]: a clock that is put back makes nothing earlier."""
        return max(self._clock.now, self._journal.received)

    def meter_of(self, member: int) -> str | None:
        """The meter of a member now; None without one."""
        return self._members.get(member)

    def standing(self) -> tuple[MeterStanding, ...]:
        """Each member's meter now, by member."""
        with self.entered:
            newest = [(member, self._newest[meter]) for member, meter in sorted(self._members.items())]
        ends = ((one.slot + self._slot_seconds if one.count else 0) for _, one in newest)
        return tuple(MeterStanding(member, one.count, end) for (member, one), end in zip(newest, ends, strict=True))

    def member_of(self, meter: str) -> int | None:
        """The member whose meter it is now; None for nobody's."""
        member = self._since[meter][0] if meter in self._since else None
        return member if member is not None and self._members[member] == meter else None

    def is_used(self, invitation: str) -> bool:
        """Whether a meter was enrolled with an invitation (hash of its code)."""
        return invitation in self._used

    def count(self, meter: str) -> int | None:
        """How many records of a meter are on disk; None unless it is enrolled."""
        newest = self._newest.get(meter)
        return None if newest is None else newest.count

    def _enrol(self, enrolment: Enrolment, at: int) -> None:
        """Know a meter from a time on [Unix s]; one that it replaces is no longer listened to."""
        before = self._members.get(enrolment.member)
        if before is not None:
            self._newest.pop(before, None)
        self._members[enrolment.member] = enrolment.address
        self._newest[enrolment.address] = Newest()
        self._since[enrolment.address] = enrolment.member, at
        if enrolment.invitation:
            self._used.add(enrolment.invitation)

    def enter(self, records: Iterable[bytes]) -> dict[str, int]:
        """Write what is new and right, in one transaction; returns how many records of each meter are on disk then.

        Raises StateError where nothing can be written: then nothing was, and nobody is told otherwise.
        """
        right: list[bytes] = []
        told: list[MeterRecord] = []
        ahead: dict[str, Newest] = {}
        asked: dict[str, None] = {}
        with self.entered:
            for data in records:
                try:
                    signed = SignedRecord.from_bytes(data)
                    meter = signed.record.meter
                    if meter not in self._newest:
                        raise _refusal(meter, "unknown", "is not enrolled; enrol it first")
                    asked[meter] = None
                    if self._is_new(signed, ahead.get(meter) or self._newest[meter]):
                        right.append(data)
                        told.append(signed.record)
                        ahead[meter] = Newest.of(signed.record)
                except RecordError as error:
                    self.refused[error.reason] += 1
                except SignatureError:
                    self.refused["signature"] += 1
            now = self._now
            self._journal.append(now, ArrivalKind.RECORD, right)
            self._newest |= ahead
            for record in told if self._receive else ():
                self._give_receipt(record, now)
            self.entered.notify_all()
            return {meter: self._newest[meter].count for meter in asked}

    def _give_receipt(self, record: MeterRecord, now: int) -> None:
        """Sign that a record is on disk in time, so that its slot has to be settled with it.

        The first one of a meter tells of no energy, and a slot that began before its meter was enrolled did not wait.
        """
        member, since = self._since[record.meter]
        end = record.slot + self._slot_seconds
        in_time = now < end + least_patience(self._slot_seconds)
        if self._receive and in_time and record.number and record.slot >= since:
            signed = self._receive(RecordReceipt(record.slot, member, now))
            self._receipts[record.meter] = self._receipts.get(record.meter, b"") + signed

    def _is_new(self, signed: SignedRecord, newest: Newest) -> bool:
        """Whether a record is the next of its meter; one that is there already is not, and is no fault.

        Raises RecordError or SignatureError with the reason for which it is refused.
        """
        record = signed.record
        if record.number < newest.count:
            return False
        if record.number > newest.count:
            raise _refusal(record.meter, "order", "comes before its turn; the box says those before it again")
        if record.previous != newest.hash:
            raise _refusal(record.meter, "chain", "does not follow its last record; was its card put back?")
        if record.slot % self._slot_seconds or (newest.count and record.slot <= newest.slot):
            raise _refusal(record.meter, "slot", "tells of a slot that is none or that it has told of")
        if record.slot + self._slot_seconds > self._clock.now + AHEAD:
            raise _refusal(record.meter, "future", "tells of a slot to come; set the clock of the box")
        if any(now < then for now, then in zip(record.registers, newest.registers, strict=False)):
            raise _refusal(record.meter, "register", "has a register that ran backwards; was the meter exchanged?")
        signed.require_signed(self._chain_id)
        return True


def _refusal(meter: str, reason: str, why: str) -> RecordError:
    """A refused record."""
    return RecordError(reason, f"record of meter {meter} {why}")
