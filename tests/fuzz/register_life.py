"""A life of the register of certificates: every step in any order, against a model that has each Wh by itself."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

from tests.fuzz.life import Tally
from tests.fuzz.machine import Machine
from tests.fuzz.register_model import Model
from transactive.carbon.certificates.entries import DeviceAttributes
from transactive.carbon.certificates.lifecycle import Bundle, BundleStep, State
from transactive.carbon.certificates.register import Register
from transactive.carbon.certificates.replay import replay
from transactive.core.errors import CertificateError

STEPS_PER_CALL = 10
"""Steps for each call that a life of a contract would make: none of them needs an EVM."""
CHECK_EVERY = 200
SLOT, FIRST, VALIDITY = 3_600, 1_699_999_200, 6 * 3_600
DEVICES = {"pv-a": "north", "pv-b": "north", "pv-c": "south"}
METERS = {"home-a": "north", "home-b": "south", "home-c": "south"}
REACHABLE = {("north", "north"), ("south", "south"), ("north", "south")}
PEOPLE = ("ann", "ben", "cem")
MOVES = ("lock", "unlock", "reserve", "release", "withdraw", "export", "store")


class RegisterLife:
    """Few Wh in each slot, so that bundles are split to single ones and claims meet their caps."""

    contract = "register"

    def __init__(self, _machine: Machine, seed: int, tally: Tally) -> None:
        self.rng, self.tally, self.title = random.Random(f"register {seed}"), tally, f"register life {seed}"
        self.register, self.model = empty(), Model(DEVICES | METERS, set(REACHABLE), VALIDITY)
        self.slot = FIRST
        tally.lives["register"] += 1

    def run(self, calls: int) -> None:
        """Take ten steps for each of so many calls; compare all now and then, and the log at the end."""
        for number in range(1, STEPS_PER_CALL * calls + 1):
            name, real, wanted = self.step()
            got = code_of(real)
            assert got == wanted, f"{self.title}: {name} gave {got or 'no refusal'}, the model {wanted or 'none'}"
            self.tally.steps[name, wanted] += 1
            if number % CHECK_EVERY == 0:
                self.check()
        self.check()
        again = replay(empty(), self.register.log)
        assert again.digest() == self.register.digest(), f"{self.title}: the log gives another register"
        self.tally.checked["the log of a register gives it again"] += 1

    def step(self) -> tuple[str, Callable[[], object], str]:
        """A step on the register, and the code that the model refuses it with, empty if it takes it."""
        kinds = (self.pass_time, self.meter, self.issue, self.split, self.merge, self.transfer, self.move)
        more = (self.cancel, self.claim, self.expire)
        return self.rng.choices((*kinds, *more), (2, 6, 9, 5, 4, 4, 8, 3, 5, 2))[0]()

    # -- steps

    def pass_time(self) -> tuple[str, Callable[[], object], str]:
        now = self.model.now + self.rng.choice([-1, 0, 60, SLOT, SLOT])
        self.slot += SLOT * (self.rng.random() < 0.4)
        now = max(now, self.slot) if now >= self.model.now else now
        return "time", lambda: self.register.advance(now), self.model.advance(now)

    def meter(self) -> tuple[str, Callable[[], object], str]:
        rng = self.rng
        slot = self.slot - SLOT * rng.choice([0, 1, 2, 3, 4])
        produced = {name: rng.choice([4, 12, 30]) for name in rng.sample([*DEVICES, "pv-x"], rng.randrange(4))}
        consumed = {name: rng.choice([0, 6, 20, 60]) for name in rng.sample([*METERS, "home-x"], rng.randrange(4))}
        if rng.random() < 0.05:
            consumed["home-a"] = -1
        wanted = self.model.meter(slot, produced, consumed)
        return "meter", lambda: self.register.meter(slot, produced, consumed), wanted

    def issue(self) -> tuple[str, Callable[[], object], str]:
        rng = self.rng
        known = [place for place in list(self.model.produced)[-6:] if place not in self.model.cells]
        place = rng.choice(known or [("pv-a", self.slot)]) if rng.random() < 0.8 else ("pv-b", self.slot)
        metered = self.model.produced.get(place, 3)
        wh, owner, mg = metered + rng.choice([0, 0, 0, -1, 1]), rng.choice(PEOPLE), rng.randrange(999)
        return "issue", lambda: self.register.issue(*place, wh, owner, mg), self.model.issue(place, wh, owner, mg)

    def split(self) -> tuple[str, Callable[[], object], str]:
        serial = self.serial()
        size = self.size(serial)
        wh = self.rng.choice([0, 1, size // 2, size // 3, size - 1, size, size + 1])
        return "split", lambda: self.register.split(serial, wh), self.model.split(serial, wh)

    def merge(self) -> tuple[str, Callable[[], object], str]:
        serial = self.serial()
        place, _, end, _ = self.model.spans.get(serial, ((("", 0)), 0, 0, 0))
        next_to = [one for one, span in self.model.spans.items() if (span[0], span[1]) == (place, end)]
        other = self.rng.choice(next_to) if next_to and self.rng.random() < 0.8 else self.serial()
        return "merge", lambda: self.register.merge(serial, other), self.model.merge(serial, other)

    def transfer(self) -> tuple[str, Callable[[], object], str]:
        serial, to = self.serial(), self.rng.choice([*PEOPLE, *PEOPLE, ""])
        return "transfer", lambda: self.register.transfer(serial, to), self.model.step(serial, "transfer", to)

    def move(self) -> tuple[str, Callable[[], object], str]:
        step = self.rng.choices(MOVES, (4, 4, 4, 4, 1, 1, 1))[0]
        serial = self.serial({"unlock": "locked", "release": "reserved"}.get(step, "active"))
        return step, lambda: self.register.move(serial, BundleStep(step)), self.model.step(serial, step)

    def cancel(self) -> tuple[str, Callable[[], object], str]:
        serial, name, why = self.serial(), self.rng.choice([*PEOPLE, *PEOPLE, ""]), self.rng.choice(["", "report"])
        wanted = self.model.step(serial, "cancel", name, why)
        return "cancel", lambda: self.register.cancel(serial, name, why), wanted

    def claim(self) -> tuple[str, Callable[[], object], str]:
        serial, meter = self.serial("cancelled"), self.rng.choice(list(METERS))
        slot = self.model.spans[serial][0][1] if serial in self.model.spans else 0
        metered = [name for name in METERS if self.model.consumed.get((name, slot), 0) >= self.size(serial)]
        if metered and self.rng.random() < 0.8:
            meter = self.rng.choice(metered)
        return "claim", lambda: self.register.claim(serial, meter), self.model.step(serial, "claim", meter)

    def expire(self) -> tuple[str, Callable[[], object], str]:
        old = [one for one, span in self.model.spans.items() if span[0][1] + VALIDITY <= self.model.now][-40:]
        usable = [one for one in old if self.model.facts(one)[5] in ("active", "reserved")]
        serial = self.rng.choice(usable or old or [self.serial()]) if self.rng.random() < 0.8 else self.serial()
        now = self.model.now
        return "expire", lambda: self.register.expire_one(serial, now), self.model.expire(serial, now)

    # -- choices

    def serial(self, state: str = "active") -> str:
        """A serial of a young bundle, mostly in this state; sometimes of one that is no more."""
        if self.rng.random() < 0.03 or not self.model.spans:
            return "pv-a/1970-01-01T00:00Z/0-1"
        young = list(self.model.spans)[-60:] if self.rng.random() < 0.95 else list(self.model.spans)
        fits = [one for one in young if self.model.facts(one)[5] == state]
        return self.rng.choice(fits) if fits and self.rng.random() < 0.75 else self.rng.choice(young)

    def size(self, serial: str) -> int:
        _, first, end, _ = self.model.spans.get(serial, ((("", 0)), 0, 2, 0))
        return end - first

    # -- checks

    def check(self) -> None:
        """The register is its model, keeps its own rules, and has lost or made no Wh and no mg."""
        register, model = self.register, self.model
        register.check()
        found = {
            serial: (b.device, b.slot, b.first_wh, b.end_wh, b.owner, str(b.state), *used(b), b.carbon_mg)
            for serial, b in register.bundles.items()
        }
        self.equal("bundles", found, {serial: model.facts(serial) for serial in model.spans})
        self.equal("Wh issued stay", register.energy_wh(), sum(map(len, model.cells.values())))
        mg = Counter[tuple[str, int]]()
        for bundle in register.bundles.values():
            mg[bundle.device, bundle.slot] += bundle.carbon_mg
        self.equal("mg issued stay", dict(mg), model.mg)
        claimed = Counter[tuple[str, int]]()
        for (_, slot), cells in model.cells.items():
            for cell in cells:
                if cell.state == State.CLAIMED:
                    claimed[cell.used[2], slot] += 1
        self.equal("claimed Wh", dict(claimed), {k: wh for k, wh in register._claimed_wh.items() if wh})

    def equal(self, what: str, found: object, wanted: object) -> None:
        assert found == wanted, f"{self.title}: {what}: {found}, the model {wanted}"
        self.tally.checked[what] += 1


def empty() -> Register:
    """A register of three devices and three meters in two zones."""
    devices = {
        name: DeviceAttributes(
            id=name, source="solar", technology="pv", commissioned="2020-01-01", zone=zone, capacity_w=5_000,
            factor_g_per_kwh=45, factor_source="test",
        )
        for name, zone in DEVICES.items()
    }  # fmt: skip
    return Register(devices, dict(METERS), frozenset(REACHABLE), VALIDITY)


def used(bundle: Bundle) -> tuple[str, str, str]:
    """What a bundle was used for."""
    return bundle.beneficiary, bundle.reason, bundle.meter


def code_of(call: Callable[[], object]) -> str:
    """Code of a refusal, empty if it went through."""
    try:
        call()
    except CertificateError as error:
        return error.code.removeprefix("certificate.")
    return ""
