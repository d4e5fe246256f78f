"""The register of certificates in a state folder, for people: what the run issued, and what was done with it since.

The register of a slot is made again whenever it is needed: from the run's own tables, then from the log of steps that
people took, whose last one must give the register that was then hashed. Steps are written together or not at all; a
run may go on meanwhile, as it never comes back to a slot that it has delivered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from transactive.carbon.certificates.handover import Arriving, receive
from transactive.carbon.certificates.lifecycle import Bundle, State
from transactive.carbon.certificates.register import Register
from transactive.core.community.community import Community
from transactive.core.errors import CertificateError, InputError, StateError
from transactive.core.slots import parse_time, time_text
from transactive.engine.books.certificate_register import register_of
from transactive.engine.books.rebuilt import community_of
from transactive.store import Store, holds_state
from transactive.store.corrections import shortfall_wh
from transactive.store.read.certificates import REGISTER, LoggedStep, head, newest_slot, require_not_behind, slots
from transactive.store.write.certificates import add_steps

AT = "@"
"""Stands between a serial and the register that it is of."""
Act = Callable[[Register, str], Sequence[Bundle]]
"""A step with a serial in the register of its slot; returns the bundles that it leaves."""


@dataclass(frozen=True, slots=True)
class CertificateService:
    """The register of a run."""

    store: Store
    community: Community

    @property
    def name(self) -> str:
        """What names this register in serials: the deployment on a node elsewhere, or what the folder was given."""
        node = json.loads(self.store.setting("run") or "{}").get("node")
        return (self.store.setting("settlement") if node else None) or self.store.setting(REGISTER) or ""

    def full(self, serial: str) -> str:
        """A serial that says which register it is of."""
        return f"{serial}{AT}{self.name}" if self.name else serial

    def local(self, serial: str) -> str:
        """A serial as it stands in this register. Raises CertificateError for one of another."""
        own, _, register = serial.partition(AT)
        if register not in ("", self.name):
            raise CertificateError(
                f"{serial} is of the register {register}, and this folder is {self.name}; give the --state of that one",
                "serial",
            )
        return own

    def register(self, slot: int) -> Register:
        """Register of a slot [Unix s]. Raises CertificateError for an unknown slot, StateError for an altered log."""
        if not self.store.delivered(slot, slot):
            raise CertificateError(f"{time_text(slot)} is no slot that this run delivered; list the bundles", "serial")
        return register_of(self.store, self.community, slot)

    def bundles(
        self, first: int | None, end: int | None, states: frozenset[State]
    ) -> Iterator[tuple[Register, Bundle]]:
        """Bundles in the given states, or in all, of slots from `first` up to `end` [Unix s], by slot and serial."""
        for slot in self._slots(first, end, only_open=bool(states) and states <= {State.ACTIVE}):
            register = self.register(slot)
            for serial in sorted(register.bundles, key=lambda s: (s.rsplit("/", 1)[0], register.bundles[s].first_wh)):
                if not states or register.bundles[serial].state in states:
                    yield register, register.bundles[serial]

    def shortfalls(self) -> dict[str, int]:
        """Certificates that left each device beyond what it made, and that its next production pays back [Wh]."""
        owed = shortfall_wh(self.store, len(self.community.ids)).tolist()
        return {name: wh for name, wh in zip(self.community.device_ids[::2], owed, strict=True) if wh}

    def slots_with(self, other: CertificateService) -> list[int]:
        """Slots that this run and another one have both delivered [Unix s], in order."""
        return sorted({*slots(self.store, only_open=False)} & {*slots(other.store, only_open=False)})

    def act(
        self, serials: Sequence[str], step: Act, at: int | None = None, by: str | None = None, action: str = ""
    ) -> list[Bundle]:
        """Take a step with each of some bundles, all or none, at a time [Unix s], by default the register's own.

        by: whose bundles they must be, or None for anybody's. action: what asks for it, kept in the log.
        Raises CertificateError for the first that is refused, StateError in a copy that is behind; nothing is written
        then.
        """
        require_not_behind(self.store)
        registers: dict[int, Register] = {}
        before: dict[int, int] = {}
        steps: list[LoggedStep] = []
        left: list[Bundle] = []
        number, last = head(self.store)
        now = self.time(at, last)
        for serial in map(self.local, serials):
            slot = slot_of(serial)
            if slot not in registers:
                registers[slot] = self.register(slot)
                registers[slot].advance(max(now, registers[slot].now))
                before[slot] = len(registers[slot].log)
            owner = registers[slot].bundle(serial).owner
            if by not in (None, owner):
                raise CertificateError(f"{serial} belongs to {owner}, not to {by}; its owner can do that", "owner")
            left += step(registers[slot], serial)
        for slot, register in registers.items():
            register.check()
            digest = register.digest().hex()
            entries = register.log[before[slot] :]
            steps += [LoggedStep(slot, msgspec.structs.replace(each, action=action), digest) for each in entries]
        if steps:
            add_steps(self.store, number, steps)
        return left

    def receive(self, arriving: Arriving, action: str) -> Bundle:
        """Take a bundle from another register into that of its slot. Raises as `act` does; nothing is written then."""
        require_not_behind(self.store)
        number, last = head(self.store)
        register = self.register(arriving.slot)
        register.advance(max(self.time(None, last), register.now))
        bundle = receive(register, arriving)
        register.check()
        entry = msgspec.structs.replace(register.log[-1], action=action)
        add_steps(self.store, number, [LoggedStep(arriving.slot, entry, register.digest().hex())])
        return bundle

    def expire(self, at: int | None = None, by: str | None = None) -> list[Bundle]:
        """Expire everything that nobody used in time, or what of it belongs to `by`."""
        require_not_behind(self.store)
        _, last = head(self.store)
        now, validity = self.time(at, last), self.community.carbon.certificates.validity_days * 86_400
        usable = frozenset({State.ACTIVE, State.RESERVED})
        found = self.bundles(None, now - validity + 1, usable)
        old = [bundle.serial for _, bundle in found if by in (None, bundle.owner)]
        return self.act(old, lambda register, serial: [register.expire_one(serial, now)], now) if old else []

    def time(self, at: int | None, last: int) -> int:
        """Time of a step: as given, or the end of what the run delivered. Raises CertificateError for one before it."""
        known = max(self._delivered_until(), last)
        if at is not None and at < known:
            raise CertificateError(
                f"--at {time_text(at)} is before {time_text(known)}, up to which the run or a step has come", "time"
            )
        return known if at is None else at

    def _delivered_until(self) -> int:
        """End of the newest slot that was delivered [Unix s], 0 before the first."""
        newest = newest_slot(self.store)
        return 0 if newest is None else newest + self.community.clock.length

    def _slots(self, first: int | None, end: int | None, *, only_open: bool) -> list[int]:
        """Delivered slots of a span; only_open: those that may have a bundle that somebody can use."""
        found = slots(self.store, only_open=only_open)
        return [s for s in found if (first is None or s >= first) and (end is None or s < end)]


def slot_of(serial: str) -> int:
    """Slot [Unix s] in a serial. Raises CertificateError for what is none."""
    _, _, rest = serial.partition("/")
    try:
        return parse_time(rest.partition("/")[0])
    except InputError:
        raise CertificateError(
            f"{serial!r} is no serial; one looks like ada-pv/2017-06-05T19:00Z/0-1699", "serial"
        ) from None


@contextmanager
def certificate_service(folder: Path) -> Iterator[CertificateService]:
    """Register of the run in a folder. Raises StateError if there is none."""
    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of a run or a demo")
    with closing(Store(folder)) as store:
        yield CertificateService(store, community_of(store))
