"""Certificates of corrected readings: issued ≤ metered + open shortfall over all slots, and no issue adds to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.carbon.certificates.corrected import correct
from transactive.carbon.certificates.entries import DeviceAttributes
from transactive.carbon.certificates.lifecycle import BundleStep, State
from transactive.carbon.certificates.register import Register
from transactive.carbon.certificates.replay import replay
from transactive.core.errors import CertificateError

PV, HOUR, SLOTS = "pv-1", 3_600, 4
WH = st.integers(0, 3_000)


def empty() -> Register:
    device = DeviceAttributes(
        id=PV, source="sun", technology="pv", commissioned="2020-01-01", zone="here", capacity_w=5_000,
        factor_g_per_kwh=45, factor_source="IPCC",
    )  # fmt: skip
    return Register({PV: device}, {"ada": "here", "bob": "here"}, frozenset({("here", "here")}), 10**9)


def issued_wh(register: Register) -> int:
    """Certificates that are there."""
    return register.energy_wh() - register.energy_wh(State.WITHDRAWN)


ACTS = st.one_of(
    st.tuples(st.just("meter"), WH),
    st.tuples(st.just("correct"), st.integers(0, SLOTS), WH),
    st.tuples(st.just("sell"), st.integers(0, 99), st.integers(1, 3_000)),
)


@given(st.lists(ACTS, max_size=30))
def test_what_left_its_producer_is_never_issued_again(acts):
    register, slots, owed = empty(), 0, 0
    for act in acts:
        before, metered = owed, sum(register.produced_wh.values())
        match act:
            case ("meter", wh) if slots < SLOTS:  # a new slot: its production pays back first
                slot, slots = slots * HOUR, slots + 1
                register.meter(slot, {PV: wh}, {"ada": wh, "bob": wh})
                withheld = min(owed, wh)
                if wh > withheld:
                    register.issue(PV, slot, wh - withheld, "ada")
                owed -= withheld
            case ("correct", slot, wh) if slot < slots:
                more = wh - register.produced_wh[PV, slot * HOUR]
                repaid = min(max(more, 0), owed)
                done = correct(register, PV, slot * HOUR, wh, "ada", 45, repaid)
                owed += done.shortfall_wh - repaid
                assert done.issued_wh + repaid == max(more, 0)
                assert done.withdrawn_wh + done.shortfall_wh == max(-more, 0)
            case ("sell", place, wh):
                mine = [s for s, b in register.bundles.items() if b.owner == "ada" and b.state == State.ACTIVE]
                if mine:
                    serial = sorted(mine)[place % len(mine)]
                    if wh < register.bundle(serial).energy_wh:
                        serial = register.split(serial, wh)[0].serial
                    register.transfer(serial, "bob")
            case _:
                pass
        register.check()
        made = sum(register.produced_wh.values())
        assert issued_wh(register) == made + owed
        assert owed >= 0
        assert owed <= before or made < metered
    again = replay(empty(), register.log)
    assert again.digest() == register.digest()
    again.check()


def test_up_and_down_again_leaves_what_there_was():
    register = empty()
    register.meter(0, {PV: 1_000}, {})
    register.issue(PV, 0, 1_000, "ada")
    late = correct(register, PV, 0, 1_600, "ada", 45)
    assert (late.first_wh, late.issued_wh) == (1_000, 600)
    assert correct(register, PV, 0, 1_000, "ada", 45).withdrawn_wh == 600
    assert issued_wh(register) == 1_000


def test_what_was_sold_stays_valid_and_becomes_a_shortfall():
    register = empty()
    register.meter(0, {PV: 1_000}, {"bob": 700})
    bundle = register.issue(PV, 0, 1_000, "ada")
    sold, _ = register.split(bundle.serial, 700)
    register.transfer(sold.serial, "bob")
    done = correct(register, PV, 0, 500, "ada")
    assert (done.withdrawn_wh, done.shortfall_wh) == (300, 200)
    register.cancel(sold.serial, "bob")
    assert register.claim(sold.serial, "bob").state == State.CLAIMED
    back = correct(register, PV, 0, 900, "ada", 45, repaid_wh=200)
    assert (back.first_wh, back.issued_wh) == (1_000, 200)
    register.check()


def test_a_correction_that_pays_back_more_than_it_brings_is_refused():
    register = empty()
    register.meter(0, {PV: 1_000}, {})
    with pytest.raises(CertificateError, match="101 Wh paid back"):
        correct(register, PV, 0, 1_100, "ada", repaid_wh=101)
    assert register.produced_wh[PV, 0] == 1_000


def test_what_is_withdrawn_can_not_be_used_any_more():
    register = empty()
    register.meter(0, {PV: 1_000}, {})
    register.issue(PV, 0, 1_000, "ada")
    correct(register, PV, 0, 0, "ada")
    (bundle,) = register.bundles.values()
    assert bundle.state == State.WITHDRAWN
    assert {step for step in BundleStep if _allowed(bundle, step)} == set()


def _allowed(bundle, step) -> bool:
    try:
        bundle.after(step)
    except CertificateError:
        return False
    return True
