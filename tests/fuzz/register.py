"""Fuzz the register of certificates against a ledger that knows every single Wh: `python -m tests.fuzz.register`.

A life is five hundred random steps, allowed and not. What is accepted is done to the ledger too, Wh by Wh, and must
be possible there; what is refused must change nothing. Now and then, and at the end, both are compared in full, and
the log must give the register again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from transactive.carbon.lifecycle import Bundle, Step
from transactive.carbon.register import Device, Register, replay
from transactive.core.errors import CertificateError

STEPS_PER_LIFE, COMPARED_EVERY, VALIDITY = 500, 100, 6_000
MOST_WH = 400
SLOTS, OWNERS = tuple(range(0, 36_000, 3_600)), ("x", "y", "supplier")
ZONES = {"pv-a": "north", "pv-b": "north", "wind": "south"}
METERS = {"home": "north", "shop": "south", "bus": "north"}
REACH = {("north", "north"), ("south", "south"), ("south", "north")}
PLAIN = ("lock", "unlock", "reserve", "release", "withdraw", "export", "store")
MAY = {
    "transfer": {"active": "active"},
    "lock": {"active": "locked"},
    "unlock": {"locked": "active"},
    "reserve": {"active": "reserved"},
    "release": {"reserved": "active"},
    "cancel": {"active": "cancelled", "reserved": "cancelled"},
    "claim": {"cancelled": "claimed"},
    "expire": {"active": "expired", "reserved": "expired"},
    "withdraw": {"active": "withdrawn", "locked": "withdrawn"},
    "export": {"active": "exported"},
    "store": {"active": "stored"},
}
"""States of a Wh before and after a step, written down a second time."""
NAMES = (
    *("meter", "meter", "meter", "issue", "issue", "issue", "merge", "merge", "transfer", "transfer", *PLAIN),
    *("split", "split", "split", "split", "split", "split", "split", "split", "cancel", "cancel", "claim", "claim"),
)
USES = {"transfer", "lock", "reserve", "cancel", "export", "store"}

Wh = tuple[str, int, int]


@dataclass
class Ledger:
    """Every Wh by device, slot and number, with its state and owner; what was metered, used, claimed and emitted."""

    state: dict[Wh, str] = field(default_factory=dict)
    owner: dict[Wh, str] = field(default_factory=dict)
    produced: dict[tuple[str, int], int] = field(default_factory=dict)
    consumed: dict[tuple[str, int], int] = field(default_factory=dict)
    claimed: Counter[tuple[str, int]] = field(default_factory=Counter)
    emitted_mg: int = 0

    def issue(self, device: str, slot: int, wh: int, owner: str, mg: int) -> None:
        assert 0 < wh <= self.produced[device, slot], "issued ≤ metered"
        assert (device, slot, 0) not in self.state, "issued once"
        for number in range(wh):
            self.state[device, slot, number], self.owner[device, slot, number] = "active", owner
        self.emitted_mg += mg

    def step(self, step: str, bundle: Bundle, now: int, to: str = "") -> None:
        assert step not in USES or now < bundle.slot + VALIDITY, "nothing is used past its validity"
        assert step != "expire" or now >= bundle.slot + VALIDITY, "nothing expires early"
        for number in range(bundle.first_wh, bundle.end_wh):
            wh = (bundle.device, bundle.slot, number)
            self.state[wh] = MAY[step][self.state[wh]]  # a KeyError is a step that is not allowed
            if step == "transfer":
                self.owner[wh] = to
        if step == "claim":
            self.claimed[to, bundle.slot] += bundle.energy_wh
            assert self.claimed[to, bundle.slot] <= self.consumed[to, bundle.slot], "claimed ≤ consumed"
            assert (ZONES[bundle.device], METERS[to]) in REACH, "zones reach"

    def compare(self, book: Register) -> None:
        seen: dict[Wh, tuple[str, str]] = {}
        for bundle in book.bundles.values():
            for number in range(bundle.first_wh, bundle.end_wh):
                assert (bundle.device, bundle.slot, number) not in seen, "no Wh twice"
                seen[bundle.device, bundle.slot, number] = (bundle.state, bundle.owner)
        assert seen == {wh: (state, self.owner[wh]) for wh, state in self.state.items()}, (
            "every Wh as the ledger has it"
        )
        assert sum(bundle.carbon_mg for bundle in book.bundles.values()) == self.emitted_mg, "every mg"
        book.check()


def empty() -> Register:
    """Register of three devices and three meters."""
    facts: dict[str, Any] = {"source": "solar", "technology": "PV", "commissioned": "", "capacity_w": 1}
    facts |= {"factor_g_per_kwh": 45, "factor_source": "test"}
    devices = {name: Device(id=name, zone=zone, **facts) for name, zone in ZONES.items()}
    return Register(devices=devices, zone_of_meter=dict(METERS), reachable=frozenset(REACH), validity=VALIDITY)


class RegisterLife:
    """One life; `tally` counts accepted and refused steps by name."""

    def __init__(self, number: int, tally: Counter[tuple[str, bool]]) -> None:
        self.book, self.ledger, self.draw, self.tally = empty(), Ledger(), random.Random(number), tally

    def run(self, steps: int) -> None:
        for number in range(1, steps + 1):
            if self.draw.randrange(6) == 0:
                self.book.advance(self.book.now + self.draw.randrange(120))
            bundles, entries = dict(self.book.bundles), len(self.book.log)
            name = self.draw.choice(NAMES)
            if self.draw.randrange(40) == 0:
                name = "expire"
            try:
                self._take(name)
                self.tally[name, True] += 1
            except CertificateError:
                self.tally[name, False] += 1
                assert (self.book.bundles, len(self.book.log)) == (bundles, entries), "a refused step changes nothing"
            if number % COMPARED_EVERY == 0 or number == steps:
                self.ledger.compare(self.book)
        again = replay(empty(), self.book.log)
        assert (again.digest(), again.log) == (self.book.digest(), self.book.log), "the log gives the register again"

    def _take(self, name: str) -> None:
        """Take a random step of this name in both."""
        book, ledger, draw = self.book, self.ledger, self.draw
        slot, device, meter = draw.choice(SLOTS), draw.choice(tuple(ZONES)), draw.choice(tuple(METERS))
        wh, mg, owner = draw.randrange(-1, MOST_WH), draw.randrange(3_000), draw.choice(OWNERS)
        serial = self._serial(name)
        if name == "meter":
            book.meter(slot, {device: wh}, {meter: 2 * wh})
            ledger.produced[device, slot], ledger.consumed[meter, slot] = wh, 2 * wh
        elif name == "issue":
            book.issue(device, slot, wh, owner, mg)
            ledger.issue(device, slot, wh, owner, mg)
        elif name == "split":
            book.split(serial, wh // draw.choice((1, 8, 64)), draw.choice((None, None, mg)))
        elif name == "merge":
            book.merge(serial, self._next(serial))
        else:
            self._step(name, serial, meter, owner)

    def _step(self, name: str, serial: str, meter: str, owner: str) -> None:
        """Take a step with the whole of a bundle in both."""
        book, before = self.book, self.book.bundles.get(serial)
        if name == "expire":
            book.expire_one(serial, book.now + self.draw.randrange(4_000))
        elif name == "transfer":
            book.transfer(serial, owner)
        elif name == "cancel":
            book.cancel(serial, owner)
        elif name == "claim":
            book.claim(serial, meter)
        else:
            book.move(serial, Step(name))
        assert before is not None, "no step with what is not there"
        self.ledger.step(name, before, book.now, meter if name == "claim" else owner)

    def _serial(self, name: str) -> str:
        """A serial, mostly of a bundle whose state allows the step."""
        states = MAY.get(name, {"active": ""})
        fit = [serial for serial, bundle in self.book.bundles.items() if bundle.state in states]
        serials = fit if fit and self.draw.randrange(8) else list(self.book.bundles)
        return self.draw.choice(serials) if serials else "none/1970-01-01T00:00Z/0-0"

    def _next(self, serial: str) -> str:
        """The bundle that goes on where another one ends, mostly."""
        bundle = self.book.bundles.get(serial)
        follows = [
            other.serial
            for other in self.book.bundles.values()
            if bundle and (other.device, other.slot, other.first_wh) == (bundle.device, bundle.slot, bundle.end_wh)
        ]
        return (
            follows[0]
            if follows and self.draw.randrange(8)
            else self.draw.choice(tuple(self.book.bundles) or (serial,))
        )


def main() -> int:
    """Live until so many steps are taken, and say what was tried."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.register", description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="stop after so many steps (default: a million)")
    parser.add_argument("--seed", type=int, default=0, help="number of the first life (default: 0)")
    given, tally, start = parser.parse_args(), Counter[tuple[str, bool]](), time.process_time()
    lives = -(-given.steps // STEPS_PER_LIFE)
    for number in range(given.seed, given.seed + lives):
        try:
            RegisterLife(number, tally).run(STEPS_PER_LIFE)
        except (AssertionError, KeyError) as error:
            sys.stdout.write(f"life {number} of the register: {error}\n")
            return 1
    accepted = sum(count for (_, yes), count in tally.items() if yes)
    sys.stdout.write(
        f"register of certificates: {tally.total():,} steps in {lives:,} lives, {accepted:,} accepted, 0 differences,"
        f" {time.process_time() - start:.0f} s of CPU\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
