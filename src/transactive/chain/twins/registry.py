"""What the registry contract must do, in plain Python. Members and callers are accounts, that is any text."""

from __future__ import annotations

from dataclasses import dataclass, replace

from transactive.chain.twins.refusals import refusals

PRODUCER, CONSUMER, STORAGE = 1, 2, 4
ALL_ROLES = PRODUCER | CONSUMER | STORAGE
FIXED = 8
"""In place of roles, of a contract that settles only: its place is never given to another account."""
MAX_METERS = 16
KEPT = 90 * 86400
"""Seconds that an ended meter stays in its owner's list."""
END_OF_TIME = 2**64
NOBODY = "0x" + "00" * 20

refuse_unless = refusals("registry")


@dataclass(slots=True)
class MemberTwin:
    """One member. roles: sum of the role flags; fixed: whether its place stays its own."""

    account: str
    roles: int
    suspended: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class MeterTwin:
    """One meter; valid_from and valid_until (exclusive) [Unix s]."""

    key: str
    owner: int
    node: int
    valid_from: int
    valid_until: int

    def counts(self, start: int, end: int) -> bool:
        """Whether it is valid from `start` to `end` [Unix s]."""
        return self.valid_from <= start and end <= self.valid_until


class RegistryTwin:
    """The registry with its owner, registrar and operator; times (`now`) in Unix seconds."""

    def __init__(self, *, owner: str, registrar: str, operator: str, delay: int) -> None:
        self.owner, self.registrar, self.operator, self.delay = owner, registrar, operator, delay
        self.members: list[MemberTwin] = []
        self.index_of: dict[str, int] = {}
        self.recoveries: dict[int, tuple[str, int]] = {}
        self.meters: list[MeterTwin] = []
        self.meters_of: dict[int, list[int]] = {}
        self.pending_owner = self.pending_operator = NOBODY

    def register(self, caller: str, account: str, roles: int) -> int:
        """Give an account the next index."""
        self._only_registrar(caller)
        refuse_unless(account != NOBODY, "no account")
        refuse_unless(account not in self.index_of, "already a member")
        refuse_unless(0 <= roles <= ALL_ROLES or roles == FIXED, "bad roles")
        self.members.append(MemberTwin(account, roles & ALL_ROLES, fixed=roles == FIXED))
        self.index_of[account] = len(self.members) - 1
        return len(self.members) - 1

    def set_roles(self, caller: str, index: int, roles: int) -> None:
        """Change what a member may do."""
        self._only_registrar(caller)
        refuse_unless(0 <= roles <= ALL_ROLES, "bad roles")
        self._member(index).roles = roles

    def suspend(self, caller: str, index: int) -> None:
        """Keep a member from beginning anything."""
        self._only_registrar(caller)
        member = self._member(index)
        refuse_unless(not member.suspended, "suspended already")
        member.suspended = True

    def readmit(self, caller: str, index: int) -> None:
        """End a suspension."""
        self._only_registrar(caller)
        member = self._member(index)
        refuse_unless(member.suspended, "not suspended")
        member.suspended = False

    def start_recovery(self, caller: str, index: int, candidate: str, now: int) -> None:
        """Announce a new key for a member."""
        self._only_registrar(caller)
        refuse_unless(not self._member(index).fixed, "place is fixed")
        refuse_unless(candidate != NOBODY, "no account")
        refuse_unless(candidate not in self.index_of, "already a member")
        self.recoveries[index] = candidate, now + self.delay

    def stop_recovery(self, caller: str, index: int) -> None:
        """Veto of the member, or the registrar's own change of mind."""
        refuse_unless(caller in (self._member(index).account, self.registrar), "not allowed")
        refuse_unless(index in self.recoveries, "nothing to stop")
        del self.recoveries[index]

    def finish_recovery(self, caller: str, index: int, now: int) -> None:
        """Let the new key take over."""
        candidate, ready_at = self.recoveries.get(index, ("", 0))
        refuse_unless(caller == candidate, "not the candidate")
        refuse_unless(now >= ready_at, "delay running")
        refuse_unless(caller not in self.index_of, "already a member")
        member = self.members[index]
        del self.index_of[member.account]
        self.index_of[caller], member.account = index, caller
        del self.recoveries[index]

    def add_meter(self, caller: str, meter: MeterTwin, now: int) -> int:
        """Enter a meter and give its number."""
        self._only_registrar(caller)
        self._member(meter.owner)
        refuse_unless(meter.key != NOBODY and all(known.key != meter.key for known in self.meters), "bad key")
        refuse_unless(meter.node < END_OF_TIME, "bad node")
        refuse_unless(meter.valid_from < meter.valid_until < END_OF_TIME, "bad dates")
        owned = self.meters_of.setdefault(meter.owner, [])
        if len(owned) == MAX_METERS:
            owned[:] = [number for number in owned if self._is_kept(number, now)]
        refuse_unless(len(owned) < MAX_METERS, "too many meters")
        owned.append(len(self.meters))
        self.meters.append(meter)
        return owned[-1]

    def end_meter(self, caller: str, number: int, valid_until: int) -> None:
        """End a meter earlier than said before."""
        self._only_registrar(caller)
        refuse_unless(number < len(self.meters), "no such meter")
        found = self.meters[number]
        refuse_unless(found.valid_from <= valid_until < found.valid_until, "bad dates")
        self.meters[number] = replace(found, valid_until=valid_until)

    def set_registrar(self, caller: str, account: str) -> None:
        """Name the registrar."""
        self._only_owner(caller)
        self.registrar = account

    def offer_operator(self, caller: str, candidate: str) -> None:
        """First step of an operator change."""
        self._only_owner(caller)
        self.pending_operator = candidate

    def accept_operator(self, caller: str) -> None:
        """Second step."""
        refuse_unless(caller == self.pending_operator, "not the candidate")
        self.operator, self.pending_operator = caller, NOBODY

    def offer_ownership(self, caller: str, candidate: str) -> None:
        """First step of an owner change."""
        self._only_owner(caller)
        self.pending_owner = candidate

    def accept_ownership(self, caller: str) -> None:
        """Second step."""
        refuse_unless(caller == self.pending_owner, "not the candidate")
        self.owner, self.pending_owner = caller, NOBODY

    def standing(self, account: str) -> tuple[int, int]:
        """Index plus one, zero for a stranger; roles, zero while suspended."""
        if account not in self.index_of:
            return 0, 0
        member = self.members[self.index_of[account]]
        return self.index_of[account] + 1, 0 if member.suspended else member.roles

    def meter_for(self, number: int, start: int, end: int) -> tuple[str, int]:
        """Key and owner of a meter that is valid from `start` to `end`."""
        refuse_unless(number < len(self.meters), "no such meter")
        refuse_unless(self.meters[number].counts(start, end), "meter not valid then")
        return self.meters[number].key, self.meters[number].owner

    def meters_for(self, owner: int, start: int, end: int) -> int:
        """How many meters of a member are valid from `start` to `end`."""
        return sum(self.meters[number].counts(start, end) for number in self.meters_of.get(owner, []))

    def _is_kept(self, number: int, now: int) -> bool:
        meter = self.meters[number]
        return meter.valid_until + KEPT > now and meter.valid_until > meter.valid_from

    def _only_owner(self, caller: str) -> None:
        refuse_unless(caller == self.owner, "not the owner")

    def _only_registrar(self, caller: str) -> None:
        refuse_unless(caller == self.registrar, "not the registrar")

    def _member(self, index: int) -> MemberTwin:
        refuse_unless(index < len(self.members), "no such member")
        return self.members[index]
