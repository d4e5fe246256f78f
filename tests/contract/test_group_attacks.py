"""Attacks on communities in groups: each ends without harm, or with a conviction.

`tests/fuzz/mutants` puts faults back into the contracts, and `tests/fuzz/test_mutants.py` sees these tests fail.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.group_world import DAY, PENALTY, STRANGER, WINDOW, GroupWorld
from transactive.chain.ledgers.groups.link_capital import FROM_GROUP
from transactive.core.accounts import NAMED

CAPITAL = 900


@pytest.fixture
def gw() -> GroupWorld:
    return GroupWorld.fresh()


def all_of(gw: GroupWorld, *calls: tuple[str, int]) -> None:
    """Calls about the first link's capital in its group, all of which go through."""
    assert [gw.tell(name, FROM_GROUP, amount) for name, amount in calls] == [""] * len(calls)


def test_asking_for_some_capital_does_not_stop_the_rest(gw):
    gw.lend(CAPITAL)
    all_of(gw, ("shift", CAPITAL), ("takeBack", 1), ("release", 0), ("carry", 0))
    assert gw.ledger.links_n()[0] == (0, CAPITAL)


def test_capital_that_is_asked_for_moves_until_it_is_due_and_is_paid_first_then(gw):
    gw.lend(CAPITAL)
    all_of(gw, ("takeBack", 1), ("shift", 300), ("release", 0), ("carry", 0))
    assert gw.ledger.links_n()[0] == (CAPITAL - 300, 300)
    gw.now += 2 * DAY + WINDOW
    assert gw.tell("shift", FROM_GROUP, 300) == "group_link: due to the funder"
    all_of(gw, ("carry", 0), ("shift", CAPITAL), ("release", 0), ("carry", 0))  # anybody, and the way is free again
    assert gw.ledger.links_n()[0] == (0, CAPITAL - 1)


def test_capital_is_not_kept_from_its_funder_by_shifting_it(gw):
    """Whatever the operator asks for, two notices are enough on the side where the capital is."""
    gw.lend(CAPITAL)
    notice = int(gw.client.read(gw.settlement(FROM_GROUP), "notice"))
    all_of(gw, ("takeBack", CAPITAL))
    gw.now += notice - 60
    all_of(gw, ("shift", CAPITAL))  # in the last moment, never released
    gw.now += 120
    all_of(gw, ("takeBack", CAPITAL))  # it is due: the same again counts at once
    assert gw.tell("shift", FROM_GROUP, CAPITAL) == "group_link: due to the funder"
    assert gw.tell("shift", FROM_GROUP, 0) == "group_link: nothing to cancel"
    gw.now += notice
    all_of(gw, ("carry", 0))
    assert gw.ledger.links_n()[0] == (0, 0)


def test_a_whole_that_goes_before_its_groups_is_convicted(gw):
    """Else a group that is taken back later would have been paid for already."""
    gw.trade()
    gw.propose()
    gw.tree = gw.ledger.whole.commit_slot(gw.whole_leaves())
    gw.mine()
    gw.do(STRANGER, gw.judge, "challengeGroup", *gw.evidence(1))
    assert gw.bond == 9 * PENALTY


def test_what_one_group_owes_is_not_put_on_another(gw):
    gw.trade()
    gw.propose()
    honest = gw.pay_groups_alone()
    money = honest.money.copy()
    money[len(NAMED), 0] += 7
    money[len(NAMED) + 1, 0] -= 7
    gw.tree = gw.ledger.whole.commit_slot(replace(honest, money=money, slot_money=money))
    gw.mine()
    gw.do(STRANGER, gw.judge, "challengeGroup", *gw.evidence(0))
    assert gw.bond == 9 * PENALTY
