"""The link of a group against its twin: calls of operator, funder and strangers in any order."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.contract.group_world import DAY, HOUR, ON_RAMP, OPERATOR, STRANGER, WINDOW, GroupWorld
from tests.twins.group_link import LinkTwin, SideTwin
from transactive.chain.ledgers.groups import FROM_GROUP, FROM_WHOLE
from transactive.core.errors import ContractRevert

CAPITAL = 900


@pytest.fixture
def w() -> GroupWorld:
    """Capital of the first link in its group."""
    world = GroupWorld.fresh()
    currency, place = world.currency, world.settlement(FROM_GROUP)
    world.client.send(ON_RAMP, currency, "mint", ON_RAMP.address, CAPITAL)
    world.client.send(ON_RAMP, currency, "approve", place.address, CAPITAL)
    world.client.send(ON_RAMP, place, "depositFor", world.link(0), CAPITAL)
    world.mine()
    return world


def call(w: GroupWorld, name: str, side: bool, amount: int) -> None:
    """One call on chain, at `w.now`."""
    link: Any = w.ledger.groups[0].link
    if name == "release":
        w.do(OPERATOR, w.settlement(side), "release", link.address)
    elif name == "carry":
        w.do(STRANGER, link, "carry", side)
    else:
        w.do(OPERATOR if name == "shift" else ON_RAMP, link, "takeBack" if name == "take_back" else name, side, amount)


def reason(act: Any) -> str:
    """Why a call is refused; empty if it goes through."""
    try:
        act()
    except ContractRevert as error:
        return str(error)
    return ""


@pytest.mark.parametrize("seed", range(3))
def test_the_link_does_what_its_twin_does(w, seed):
    rng, link = random.Random(seed), w.ledger.groups[0].link
    notices = {side: int(w.client.read(w.settlement(side), "notice")) for side in (FROM_GROUP, FROM_WHOLE)}
    twin = LinkTwin({side: SideTwin(notice) for side, notice in notices.items()})
    twin.sides[FROM_GROUP].balance_n = CAPITAL
    wallet = w.wallet_n(ON_RAMP.address)
    seen = set()
    for _ in range(70):
        name = rng.choice(["shift", "take_back", "release", "carry", "carry"])
        side, amount = rng.random() < 0.6, rng.choice([0, 1, 200, CAPITAL, 10 * CAPITAL])
        w.now += rng.choice([0, 0, HOUR, DAY // 2, notices[side]])
        now = max(w.now, w.client.head_timestamp + 1)
        arguments = (side, now) if name in ("release", "carry") else (side, amount, now)
        expected = reason(lambda: getattr(twin, name)(*arguments))
        assert reason(lambda: call(w, name, side, amount)) == expected
        seen.add((name, expected))
        w.now = w.client.head_timestamp + 1
        for from_group, one in twin.sides.items():
            there = w.settlement(from_group)
            assert w.client.read(there, "balanceOf", link.address) == one.balance_n
            assert tuple(w.client.read(there, "requests", link.address))[0] == one.requested
            state = [w.client.read(link, view, there.address) for view in ("isShifting", "returning")]
            assert state == [one.is_shifting, one.returning]
        assert w.wallet_n(ON_RAMP.address) - wallet == twin.returned_n
        assert sum(one.balance_n for one in twin.sides.values()) + twin.returned_n == CAPITAL
    assert len(seen) > 6, "calls of all kinds were taken and refused"


def test_asking_for_some_capital_does_not_stop_the_rest(w):
    call(w, "shift", FROM_GROUP, CAPITAL)
    call(w, "take_back", FROM_GROUP, 1)
    call(w, "release", FROM_GROUP, 0)
    call(w, "carry", FROM_GROUP, 0)
    assert w.ledger.links_n()[0] == (0, CAPITAL)


def test_capital_that_is_asked_for_moves_until_it_is_due_and_is_paid_first_then(w):
    call(w, "take_back", FROM_GROUP, 1)
    call(w, "shift", FROM_GROUP, 300)
    call(w, "release", FROM_GROUP, 0)
    call(w, "carry", FROM_GROUP, 0)
    assert w.ledger.links_n()[0] == (CAPITAL - 300, 300)
    w.now += 2 * DAY + WINDOW
    assert reason(lambda: call(w, "shift", FROM_GROUP, 300)) == "group_link: due to the funder"
    call(w, "carry", FROM_GROUP, 0)  # anybody, and the way is free again
    call(w, "shift", FROM_GROUP, CAPITAL)
    call(w, "release", FROM_GROUP, 0)
    call(w, "carry", FROM_GROUP, 0)
    assert w.ledger.links_n()[0] == (0, CAPITAL - 1)


def test_capital_is_not_kept_from_its_funder_by_shifting_it(w):
    """Whatever the operator asks for, two notices are enough on the side where the capital is."""
    notice = int(w.client.read(w.settlement(FROM_GROUP), "notice"))
    call(w, "take_back", FROM_GROUP, CAPITAL)
    w.now += notice - 60
    call(w, "shift", FROM_GROUP, CAPITAL)  # in the last moment, never released
    w.now += 120
    call(w, "take_back", FROM_GROUP, CAPITAL)  # it is due: the same again counts at once
    assert reason(lambda: call(w, "shift", FROM_GROUP, CAPITAL)) == "group_link: due to the funder"
    assert reason(lambda: call(w, "shift", FROM_GROUP, 0)) == "group_link: nothing to cancel"
    w.now += notice
    call(w, "carry", FROM_GROUP, 0)
    assert w.ledger.links_n()[0] == (0, 0)
