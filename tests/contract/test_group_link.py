"""The link of a group against its twin: calls of operator, funder and strangers in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial

import pytest

from tests.contract.group_world import DAY, HOUR, ON_RAMP, GroupWorld
from tests.twins.group_link import LinkTwin, SideTwin
from transactive.chain.ledgers.groups.link_capital import FROM_GROUP, FROM_WHOLE
from transactive.core.errors import ContractRevert

CAPITAL = 900
CALLED = {"take_back": "takeBack"}


@pytest.fixture
def w() -> GroupWorld:
    world = GroupWorld.fresh()
    world.lend(CAPITAL)
    return world


def reason(act: Callable[[], None]) -> str:
    """Why the twin refuses; empty if it does not."""
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
        expected = reason(partial(getattr(twin, name), *arguments))
        assert w.tell(CALLED.get(name, name), side, amount) == expected
        seen.add((name, expected))
        w.now = w.client.head_timestamp + 1
        for from_group, one in twin.sides.items():
            there = w.settlement(from_group)
            assert w.client.read(there, "balanceOf", link.address) == one.balance_n
            assert w.client.read(there, "requests", link.address)[0] == one.requested
            state = [w.client.read(link, view, there.address) for view in ("isShifting", "returning")]
            assert state == [one.is_shifting, one.returning]
        assert w.wallet_n(ON_RAMP.address) - wallet == twin.returned_n
        assert sum(one.balance_n for one in twin.sides.values()) + twin.returned_n == CAPITAL
    assert len(seen) > 6, "calls of all kinds were taken and refused"
