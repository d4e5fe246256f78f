"""A register under random steps, allowed and not: no Wh is created, lost or claimed twice."""

import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.carbon.certificates.entries import DeviceAttributes
from transactive.carbon.certificates.lifecycle import END, BundleStep, State
from transactive.carbon.certificates.matching import spread
from transactive.carbon.certificates.register import Register
from transactive.carbon.certificates.replay import replay
from transactive.core.errors import CertificateError

SLOTS = [0, 3_600, 7_200]
ZONES = {"pv-a": "north", "pv-b": "north", "wind": "south"}
METERS = {"home": "north", "shop": "south", "bus": "north"}
PLAIN = [
    BundleStep.LOCK,
    BundleStep.UNLOCK,
    BundleStep.RESERVE,
    BundleStep.RELEASE,
    BundleStep.WITHDRAW,
    BundleStep.EXPORT,
    BundleStep.STORE,
]


def empty():
    facts: dict[str, Any] = {"source": "solar", "technology": "PV", "commissioned": "2015-04-01", "capacity_w": 1}
    devices = {
        name: DeviceAttributes(id=name, zone=zone, factor_g_per_kwh=45, factor_source="test", **facts)
        for name, zone in ZONES.items()
    }
    reachable = frozenset({("north", "north"), ("south", "south"), ("south", "north")})
    return Register(devices=devices, zone_of_meter=dict(METERS), reachable=reachable, validity=10_000)


def random_step(book, choose):
    """One random step; most are allowed, many are not."""
    serials = list(book.bundles) or ["pv-a/1970-01-01T00:00Z/0-0"]
    serial = choose.choice(serials)
    slot, device, meter = choose.choice(SLOTS), choose.choice(list(ZONES)), choose.choice(list(METERS))
    match choose.randrange(11):
        case 0:
            book.meter(slot, {device: choose.randrange(40)}, {meter: choose.randrange(40)})
        case 1 | 2:
            book.issue(device, slot, choose.randrange(42), choose.choice("xy"), choose.randrange(2_000))
        case 3:
            book.split(serial, choose.randrange(20))
        case 4:
            book.merge(serial, choose.choice(serials))
        case 5:
            book.transfer(serial, choose.choice("xy"))
        case 6:
            book.cancel(serial, choose.choice("xy"))
        case 7 | 8:
            book.claim(serial, meter)
        case 9:
            book.move(serial, choose.choice(PLAIN))
        case 10 if choose.randrange(8) == 0:
            book.expire(choose.randrange(25_000))


def live(seed, steps):
    """Take random steps; returns the register and how many were accepted. The rules are looked at throughout."""
    book, choose = empty(), random.Random(seed)
    ended: dict[tuple[str, int, int], State] = {}
    accepted: Counter[str] = Counter()
    for number in range(steps):
        book.advance(book.now + choose.randrange(40))
        before, entries = book.digest(), len(book.log)
        try:
            random_step(book, choose)
            accepted["yes"] += 1
        except CertificateError:
            accepted["no"] += 1
            assert (book.digest(), len(book.log)) == (before, entries), "a refused step changes nothing"
        if number % 16 == 0:
            book.check()
        for bundle in book.bundles.values():
            for wh in range(bundle.first_wh, bundle.end_wh):
                place = (bundle.device, bundle.slot, wh)
                assert ended.get(place, bundle.state) == bundle.state, "what ended stays so, Wh by Wh"
                if bundle.state in END:
                    ended[place] = bundle.state
    book.check()
    issued = sum(entry.carbon_mg or 0 for entry in book.log if entry.step == "issue")
    assert sum(bundle.carbon_mg for bundle in book.bundles.values()) == issued, "no mg is lost or doubled"
    return book, accepted


@pytest.mark.parametrize("seed", range(6))
def test_random_lives_lose_and_double_nothing(seed):
    book, accepted = live(seed, 400)
    assert min(accepted.values()) > 40
    again = replay(empty(), book.log)
    assert (again.digest(), again.log) == (book.digest(), book.log)


def test_what_is_past_its_validity_can_only_expire():
    book = empty()
    book.meter(0, {"pv-a": 30}, {"home": 30})
    serial = book.issue("pv-a", 0, 30, "x", 1_350).serial
    book.advance(book.validity)
    for step in (
        lambda: book.transfer(serial, "y"),
        lambda: book.cancel(serial, "y"),
        *(
            lambda step=step: book.move(serial, step)
            for step in (BundleStep.LOCK, BundleStep.RESERVE, BundleStep.EXPORT, BundleStep.STORE)
        ),
    ):
        with pytest.raises(CertificateError, match="only expire it") as refused:
            step()
        assert refused.value.code == "certificate.expired"
    with pytest.raises(CertificateError, match="time does not go back"):
        book.advance(0)
    assert [bundle.state for bundle in book.expire(book.now)] == [State.EXPIRED]


def test_carbon_goes_with_the_wh_and_joins_again():
    book = empty()
    book.meter(0, {"pv-a": 7}, {})
    serial = book.issue("pv-a", 0, 7, "x", 100).serial
    first, rest = book.split(serial, 2)
    assert (first.carbon_mg, rest.carbon_mg) == (28, 72)
    second, third = book.split(rest.serial, 3, 70)
    assert (second.carbon_mg, third.carbon_mg) == (70, 2)
    with pytest.raises(CertificateError, match="cannot split 71 mg off 70"):
        book.split(second.serial, 1, 71)
    assert book.merge(book.merge(first.serial, second.serial).serial, third.serial).carbon_mg == 100


WHOLE = st.integers(0, 60)


@given(st.data(), st.lists(WHOLE, min_size=1, max_size=6), st.lists(WHOLE, min_size=1, max_size=6))
def test_matching_is_within_both_sides_and_leaves_no_pair_open(data, loads, generators):
    load, generation = np.array(loads, np.int64), np.array(generators, np.int64)
    shape = (len(loads), len(generators))
    flags = data.draw(st.lists(st.booleans(), min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))
    allowed = np.array(flags, bool).reshape(shape)
    matched = spread(load, generation, allowed)
    assert (matched >= 0).all()
    assert not matched[~allowed].any()
    room, left = load - matched.sum(axis=1), generation - matched.sum(axis=0)
    assert (room >= 0).all()
    assert (left >= 0).all()
    assert not (allowed & (room > 0)[:, None] & (left > 0)[None, :]).any()
