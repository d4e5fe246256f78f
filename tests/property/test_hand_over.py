"""Two registers hand bundles over while messages are lost, late or come again: each Wh is in one of them, always."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.carbon.certificates.entries import DeviceAttributes
from transactive.carbon.certificates.handover import (
    AS_FILE,
    Arriving,
    HandOverWord,
    departing,
    is_elsewhere,
    leave,
    receive,
    step_after,
    word,
)
from transactive.carbon.certificates.lifecycle import Bundle, BundleStep, State
from transactive.carbon.certificates.register import Register
from transactive.carbon.certificates.replay import replay
from transactive.core.errors import CertificateError

HOUR = 3_600
GONE = (State.EXPORTED, State.IN_TRANSIT)


def register() -> Register:
    facts: dict[str, Any] = {"source": "solar", "technology": "PV", "commissioned": "2015-04-01", "capacity_w": 1}
    device = DeviceAttributes(id="pv", zone="north", factor_g_per_kwh=45, factor_source="test", **facts)
    return Register({"pv": device}, {"home": "north"}, frozenset({("north", "north")}), validity=10 * HOUR)


def stocked(energy_wh: int) -> Register:
    book = register()
    book.meter(0, {"pv": energy_wh}, {"home": 1_000})
    book.issue("pv", 0, energy_wh, "ada", 45 * energy_wh)
    return book


class Party:
    """A register with its name; what it said of each number, and what it asked."""

    def __init__(self, name: str, energy_wh: int) -> None:
        self.name, self.book = name, stocked(energy_wh)
        self.said: dict[str, HandOverWord] = {}
        self.waiting: dict[str, tuple[str, Arriving]] = {}

    def offer(self, number: str, serial: str) -> None:
        self.book.move(serial, BundleStep.HAND_OVER, "bob@other")
        bundle = self.book.bundle(serial)
        self.waiting[number] = serial, departing(bundle, self.book.devices[bundle.device], self.name, "bob")

    def hear(self, number: str, arriving: Arriving | None) -> HandOverWord:
        known = self.said.get(number)
        if known is None and arriving is not None:
            try:
                receive(self.book, arriving)
            except CertificateError:
                arriving = None
        self.said[number] = word(known, fits=arriving is not None)
        return self.said[number]

    def settle(self, number: str, said: HandOverWord) -> None:
        if number in self.waiting:
            self.book.move(self.waiting.pop(number)[0], step_after(said))


def held(parties: list[Party]) -> list[tuple[str, int]]:
    """Every Wh that is in one of the registers, by the register that issued it."""
    found = []
    for party in parties:
        for bundle in party.book.bundles.values():
            name = bundle.device if ":" in bundle.device else f"{party.name}:{bundle.device}"
            if bundle.state not in GONE:
                found += [(name, wh) for wh in range(bundle.first_wh, bundle.end_wh)]
    return found


class Exchange:
    """Two registers, and what is on its way between them: to whom, under which number, an offer or a recall."""

    def __init__(self, seed: int) -> None:
        self.choose = random.Random(seed)
        self.parties = [Party("one", 7), Party("two", 5)]
        self.way: list[tuple[int, str, Arriving | None]] = []

    def step(self, count: int) -> None:
        side = self.choose.randrange(2)
        giver = self.parties[side]
        usable = [b for b in giver.book.bundles.values() if b.state is State.ACTIVE]
        match self.choose.randrange(6):
            case 0 if usable:
                self.give(giver, self.choose.choice(usable), f"{side}-{count}")
            case 1 | 2 if giver.waiting:
                number = self.choose.choice(list(giver.waiting))
                sent = giver.waiting[number][1] if self.choose.random() < 0.6 else None
                self.way += [(1 - side, number, sent)] * self.choose.choice((1, 2))
            case 3 | 4 if self.way:
                self.arrive(*self.way.pop(self.choose.randrange(len(self.way))))
            case 5 if usable and self.choose.random() < 0.3:
                giver.book.cancel(self.choose.choice(usable).serial, "ada")

    def give(self, giver: Party, bundle: Bundle, number: str) -> None:
        if bundle.energy_wh > 1:
            bundle, _ = giver.book.split(bundle.serial, self.choose.randrange(1, bundle.energy_wh))
        giver.offer(number, bundle.serial)

    def arrive(self, to: int, number: str, arriving: Arriving | None) -> None:
        said = self.parties[to].hear(number, arriving)
        if self.choose.random() < 0.6:  # or the answer is lost
            self.parties[1 - to].settle(number, said)

    def end(self) -> None:
        """Everything that waits hears its word."""
        for giver, taker in (self.parties, self.parties[::-1]):
            for number, (_, sent) in list(giver.waiting.items()):
                giver.settle(number, taker.hear(number, sent))


@given(st.integers(0, 2**32), st.integers(5, 60))
def test_each_wh_is_in_one_register_whatever_happens_to_messages(seed, steps):
    exchange = Exchange(seed)
    everything = {("one:pv", wh) for wh in range(7)} | {("two:pv", wh) for wh in range(5)}
    for count in range(steps):
        exchange.step(count)
        found = held(exchange.parties)
        assert len(found) == len(set(found))
        assert set(found) <= everything
    exchange.end()
    assert sorted(held(exchange.parties)) == sorted(everything)
    for party in exchange.parties:
        party.book.check()
        assert replay(register(), party.book.log).digest() == party.book.digest()


@pytest.mark.parametrize("known", [None, *HandOverWord])
@pytest.mark.parametrize("fits", [False, True])
def test_a_word_stays_the_word(known, fits):
    said = word(known, fits=fits)
    assert said == (known or (HandOverWord.ACCEPTED if fits else HandOverWord.REFUSED))
    assert word(said, fits=not fits) == said


def test_what_is_in_transit_can_be_nothing_else_and_ends_after_its_time():
    book = stocked(10)
    serial = "pv/1970-01-01T00:00Z/0-9"
    book.move(serial, BundleStep.HAND_OVER, "bob@two")
    for step in (BundleStep.LOCK, BundleStep.RESERVE, BundleStep.WITHDRAW, BundleStep.UNLOCK, BundleStep.STORE):
        with pytest.raises(CertificateError, match="is in-transit: cannot"):
            book.move(serial, step)
    for refused in (
        lambda: book.split(serial, 3),
        lambda: book.cancel(serial, "ada"),
        lambda: book.transfer(serial, "x"),
    ):
        with pytest.raises(CertificateError, match="is in-transit: cannot"):
            refused()
    book.advance(20 * HOUR)  # it is over, and was accepted before
    assert book.move(serial, BundleStep.EXPORT).state is State.EXPORTED


def test_what_another_register_may_have_leaves_in_no_other_way():
    book = stocked(10)
    serial = "pv/1970-01-01T00:00Z/0-9"
    book.move(serial, BundleStep.HAND_OVER, "bob@two")
    with pytest.raises(CertificateError, match="only its receiver's word ends it"):
        leave(book, serial)
    book.move(serial, BundleStep.RECALL)
    assert leave(book, serial).state is State.EXPORTED
    assert not is_elsewhere(book, serial)
    taken = stocked(10)
    taken.move(serial, BundleStep.HAND_OVER, "bob@two")
    taken.move(serial, BundleStep.EXPORT)
    assert is_elsewhere(taken, serial)
    filed = stocked(10)
    leave(filed, serial, AS_FILE)
    assert is_elsewhere(filed, serial)


def arriving(**changes: Any) -> Arriving:
    book = stocked(10)
    made = departing(book.bundle("pv/1970-01-01T00:00Z/0-9"), book.devices["pv"], "one", "bob")
    facts = {name: getattr(made, name) for name in made.__struct_fields__} | changes
    return Arriving(**facts)


def test_a_bundle_comes_to_a_register_once():
    there = stocked(10)
    came = receive(there, arriving())
    assert (came.serial, came.owner, came.carbon_mg) == ("one:pv/1970-01-01T00:00Z/0-9", "bob", 450)
    with pytest.raises(CertificateError, match="was here before, and is active"):
        receive(there, arriving(first_wh=9, end_wh=12))
    receive(there, arriving(first_wh=20, end_wh=22))  # with a gap before it
    there.cancel(came.serial, "home")
    assert there.claim(came.serial, "home").state is State.CLAIMED
    there.check()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"to": ""}, "without an owner"),
        ({"end_wh": 0}, "without an owner or without energy"),
        ({"slot": -10 * HOUR}, "was valid until"),
    ],
)
def test_what_cannot_be_received_changes_nothing(changes, said):
    there = stocked(10)
    before = there.digest(), list(there.log)
    with pytest.raises(CertificateError, match=said):
        receive(there, arriving(**changes))
    assert (there.digest(), there.log) == before


def test_a_device_is_of_another_register_and_stays_as_it_was_told():
    there, first = stocked(10), arriving()
    receive(there, first)
    for device in (first.device, msgspec.structs.replace(first.device, id="pv")):
        other = msgspec.structs.replace(device, capacity_w=2)
        with pytest.raises(CertificateError, match="is not the device"):
            receive(there, arriving(device=other, first_wh=30, end_wh=31))
