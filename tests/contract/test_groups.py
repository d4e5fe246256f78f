"""Communities in groups: money between groups, proofs from leaf to payment, and what a dishonest operator meets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.contract.group_world import (
    DAY,
    KEYS,
    ON_RAMP,
    OPERATOR,
    PENALTY,
    START,
    STRANGER,
    WINDOW,
    Books,
    GroupWorld,
    deployed,
)
from tests.contract.world import refused
from transactive.chain.disputes.nested import NestedProof, Placed
from transactive.chain.ledgers.groups.deploying import deploy_groups
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.ledgers.groups.link_capital import FROM_GROUP
from transactive.core.accounts import NAMED
from transactive.core.errors import ChainError, InputError
from transactive.core.proofs.leaves import SlotLeaves

BOND = 10 * PENALTY


@pytest.fixture
def w() -> GroupWorld:
    return GroupWorld.fresh()


@pytest.fixture
def paid(w: GroupWorld) -> GroupWorld:
    """The groups have paid, and the whole is proposed."""
    w.trade()
    w.propose()
    w.pay_groups()
    return w


def convicted(w: GroupWorld) -> None:
    assert w.bond == BOND - PENALTY
    assert not w.ledger.whole.pending


# -- money


def test_members_of_different_groups_pay_each_other(w):
    before = w.ledger.balances_n()
    capital = 0
    for _ in range(2):
        w.trade()
        w.propose()
        w.pay_groups()
        w.finalise()
        now = w.ledger.balances_n()
        assert [after - earlier for after, earlier in zip(now, before, strict=True)] == w.books.nets
        held = sum(sum(sides) for sides in w.ledger.links_n())
        assert capital in (0, held), "what came back serves the next period"
        before, capital, w.period = now, held, w.period + 1
    assert capital > 0
    assert sum(before) == 10_000 * len(before)


def test_a_ledger_is_attached_by_the_address_of_its_whole(paid):
    again = GroupedLedger.attach(paid.client, KEYS, paid.ledger.address, GroupWorld.MEMBERS)
    assert [group.members for group in again.groups] == [range(2), range(2, 4), range(4, 7)]
    assert again.balances_n() == paid.ledger.balances_n()
    again.finalise(paid.period, paid.books.nets)
    paid.now += WINDOW
    again.block(paid.now)
    assert again.whole.settled_period == paid.period
    with pytest.raises(ChainError, match="its own deployment"):
        GroupedLedger.attach(paid.client, KEYS, paid.ledger.address, GroupWorld.MEMBERS + 1)


def test_groups_with_one_gateway_are_refused(w, monkeypatch):
    monkeypatch.setattr(KEYS, "role", lambda _: STRANGER)
    with pytest.raises(ChainError, match="a key of its own"):
        deploy_groups(w.client, KEYS, members=7, most=3, timestamp=0)


def test_capital_of_a_link_goes_to_the_other_side_or_to_its_funder(w):
    w.trade()
    w.propose()
    w.pay_groups()
    group = w.ledger.groups[0]
    here, there = w.ledger.links_n()[0]
    assert here > 0
    with refused("group_link: not the operator"):
        w.do(STRANGER, group.link, "shift", FROM_GROUP, here)
    with refused("group_link: not the funder"):
        w.do(OPERATOR, group.link, "takeBack", FROM_GROUP, here)
    with refused("settlement: nothing requested"):
        w.do(STRANGER, group.link, "carry", FROM_GROUP)
    wallet = w.ledger.whole._client.read(w.ledger.whole._currency, "balanceOf", ON_RAMP.address)
    w.do(ON_RAMP, group.link, "takeBack", FROM_GROUP, here)
    with refused("settlement: notice running"):
        w.do(STRANGER, group.link, "carry", FROM_GROUP)
    w.now += 2 * DAY + WINDOW
    w.do(STRANGER, group.link, "carry", FROM_GROUP)
    assert w.ledger.links_n()[0] == (0, there)
    after = w.ledger.whole._client.read(w.ledger.whole._currency, "balanceOf", ON_RAMP.address)
    assert after - wallet == here


# -- proofs


def test_a_leaf_leads_to_its_groups_root_to_that_of_the_whole_and_to_the_payment(paid):
    early = paid.proof(6)
    with pytest.raises(InputError, match="not paid"):
        early.check(paid.ledger)
    paid.finalise()
    for member in range(GroupWorld.MEMBERS):
        assert paid.proof(member).check(paid.ledger) == paid.books.nets[member]
    assert paid.proof(0, 0).check(paid.ledger) == -800  # the first slot, whose leaf the last head stands on


def test_a_proof_that_was_changed_does_not_hold(paid):
    paid.finalise()
    good, other = paid.proof(2), paid.proof(5)
    leaf = good.own.leaf
    assert leaf
    changed = replace(good.own, leaf=replace(leaf, money=leaf.money + 1))
    for proof, what in (
        (replace(good, own=changed), "the leaf does not lead"),
        (replace(good, own=other.own), "names other commitments"),
        (replace(good, whole=other.whole), "names other commitments"),
        (replace(good, link=replace(good.own)), "other sums"),
        (replace(good, group=other.group), "the group has other commitments"),
        (replace(good, own=good.link), "the leaf is no member's"),
    ):
        with pytest.raises(InputError, match=what):
            proof.check(paid.ledger)


# -- a dishonest operator


def commit_otherwise(w: GroupWorld, leaves: SlotLeaves) -> None:
    """The whole is committed with other leaves than it should be."""
    w.tree = w.ledger.whole.commit_slot(leaves)
    w.mine()


@pytest.mark.parametrize("number", range(3))
def test_an_honest_commitment_is_never_convicted(paid, number):
    with refused("group_disputes: no fraud shown"):
        paid.do(STRANGER, paid.judge, "challengeGroup", *paid.evidence(number))
    paid.finalise()


@pytest.mark.parametrize("table", ["money", "energy"])
def test_other_sums_than_the_groups_are_convicted(w, table):
    """What one group owes is put on another: the whole is zero-sum all the same."""
    w.trade()
    w.propose()
    honest = w.pay_groups_alone()
    sums = getattr(honest, table).copy()
    sums[len(NAMED), 0] += 7
    sums[len(NAMED) + 1, 0] -= 7
    commit_otherwise(w, replace(honest, **{table: sums, f"slot_{table}": sums}))
    w.do(STRANGER, w.judge, "challengeGroup", *w.evidence(0))
    convicted(w)
    w.ledger.whole.commit_slot(honest, attempt=1)
    w.mine()


def test_another_head_than_the_groups_is_convicted(w):
    w.trade()
    w.propose()
    honest = w.pay_groups_alone()
    commit_otherwise(w, replace(honest, fills=[*honest.fills[:-1], b"\1" * 32]))
    w.do(STRANGER, w.judge, "challengeGroup", *w.evidence(2))
    convicted(w)


def test_a_group_that_is_left_out_is_convicted(w):
    w.trade()
    w.propose()
    honest = w.pay_groups_alone()
    cut = {name: getattr(honest, name)[:-1] for name in ("money", "energy", "slot_money", "slot_energy")}
    gap = int((cut["money"][:, 1] - cut["money"][:, 0]).sum())
    cut["money"][0, 0 if gap > 0 else 1] += abs(gap)
    cut["slot_money"] = cut["money"]
    commit_otherwise(w, SlotLeaves(honest.slot, **cut, fills=honest.fills[:-1], orders=honest.orders[:-1]))
    opening = w.ledger.opening(None, w.last)
    blank = Placed(len(NAMED) + 2, None, w.tree.proof(len(NAMED) + 2), opening)
    own = w.placed(1)[1]
    arguments = (opening.content, w.link(2), blank.shown, own.opening.content, own.shown)
    w.do(STRANGER, w.judge, "challengeGroup", *arguments)
    convicted(w)


def test_a_whole_that_does_not_wait_for_its_groups_is_convicted(w):
    w.trade()
    w.propose()
    commit_otherwise(w, w.whole_leaves())
    w.do(STRANGER, w.judge, "challengeGroup", *w.evidence(1))
    convicted(w)


def test_taking_back_is_no_way_out(w):
    w.trade()
    w.propose()
    honest = w.pay_groups_alone()
    commit_otherwise(w, replace(honest, fills=[*honest.fills[:-1], b"\1" * 32]))
    evidence = w.evidence(2)
    whole = w.client.contract("settlement", w.ledger.address)
    w.do(OPERATOR, whole, "retract", w.ledger.opening(None, w.last).content)
    w.do(STRANGER, w.judge, "challengeGroup", *evidence)
    convicted(w)
    with refused("settlement: other slot"):
        w.do(STRANGER, w.judge, "challengeGroup", *evidence)


def test_evidence_of_another_group_or_member_counts_for_nothing(paid):
    opening, link, shown, own_opening, own_shown = paid.evidence(0)
    other = paid.evidence(1)
    for arguments, reason in (
        ((opening, paid.link(1), shown, own_opening, own_shown), "group_disputes: other group"),
        ((opening, link, shown, *other[3:]), "group_disputes: other slot"),
        ((opening, link, (*shown[:3], other[2][3]), own_opening, own_shown), "group_disputes: bad proof"),
        ((opening, link, shown, own_opening, (0, *own_shown[1:])), "group_disputes: other member"),
        ((opening, link, shown, own_opening, (*own_shown[:3], shown[3][:3])), "group_disputes: bad proof"),
    ):
        with refused(reason):
            paid.do(STRANGER, paid.judge, "challengeGroup", *arguments)


# -- asking


def test_who_asks_is_answered_on_chain(paid):
    member, opening = KEYS.account(2), paid.ledger.opening(None, paid.last).content
    for asker, link, reason in (
        (STRANGER, 1, "group_disputes: not a member"),
        (member, 0, "group_disputes: not a member"),
    ):
        with refused(reason):
            paid.do(asker, paid.judge, "ask", opening, paid.link(link))
    with refused("group_disputes: nothing asked"):
        paid.do(OPERATOR, paid.judge, "answer", *paid.evidence(1))
    paid.do(member, paid.judge, "ask", opening, paid.link(1))
    with refused("group_disputes: asked already"):
        paid.do(KEYS.account(3), paid.judge, "ask", opening, paid.link(1))
    with refused("group_disputes: answer awaited"):
        paid.do(STRANGER, paid.judge, "challengeSilence", opening, paid.link(1))
    paid.do(STRANGER, paid.judge, "answer", *paid.evidence(1))
    paid.now += WINDOW
    with refused("group_disputes: nothing asked"):
        paid.do(STRANGER, paid.judge, "challengeSilence", opening, paid.link(1))
    paid.finalise()
    assert paid.bond == BOND


def test_an_operator_that_does_not_answer_is_convicted(paid):
    opening = paid.ledger.opening(None, paid.last).content
    paid.do(KEYS.account(2), paid.judge, "ask", opening, paid.link(1))
    paid.now += WINDOW // 4
    paid.do(STRANGER, paid.judge, "challengeSilence", opening, paid.link(1))
    convicted(paid)


def test_what_is_wrong_is_no_answer(w):
    w.trade()
    w.propose()
    honest = w.pay_groups_alone()
    energy = honest.energy.copy()
    energy[len(NAMED) + 1, 0] += 5
    commit_otherwise(w, replace(honest, energy=energy, slot_energy=energy))
    opening = w.ledger.opening(None, w.last).content
    w.do(KEYS.account(2), w.judge, "ask", opening, w.link(1))
    with refused("group_disputes: does not agree"):
        w.do(OPERATOR, w.judge, "answer", *w.evidence(1))


def test_it_is_too_late_to_ask_when_no_answer_would_count(paid):
    paid.now += WINDOW // 2 + 60
    with refused("group_disputes: too late to ask"):
        paid.do(KEYS.account(2), paid.judge, "ask", paid.ledger.opening(None, paid.last).content, paid.link(1))


# -- size


@pytest.mark.long
def test_ten_thousand_members_from_leaf_to_root_to_payment():
    members, rng = 10_000, np.random.default_rng(5)
    ledger = deployed(members, 4_094)
    client, accounts = ledger._client, members + len(NAMED)
    assert [len(group.members) for group in ledger.groups] == [3_333, 3_333, 3_334]
    books, now = Books(accounts), START
    payers, payees = rng.permutation(members)[:3_000].reshape(2, -1)
    amounts = [0] * accounts
    for payer, payee in zip(payers.tolist(), payees.tolist(), strict=True):
        amount = int(rng.integers(1, 900))
        books.pay(payer, payee, amount, amount // 10)
        amounts[payer] = 1_000
    ledger.deposit(amounts, client.head_timestamp + 1)
    period = max(client.head_timestamp, now) // DAY
    last = (period + 1) * (DAY // 3_600) - 1
    leaves = books.leaves(last)
    trees = ledger.commit_slot(leaves)
    ledger.block((period + 1) * DAY)
    ledger.propose(period, books.nets)
    ledger.block(client.head_timestamp + 1)
    whole = ledger.pay_groups(period, leaves, books.nets)
    ledger.block(client.head_timestamp + WINDOW)
    ledger.finalise(period, books.nets)
    ledger.block(client.head_timestamp + WINDOW)
    found = ledger.balances_n()
    assert [balance - paid_in for balance, paid_in in zip(found, amounts, strict=True)] == books.nets
    assert sum(found) == sum(amounts)
    for number, group in enumerate(ledger.groups):
        opening, place = ledger.opening(number, last), group.link_place
        link = Placed.of(trees[number], place, opening)
        there = Placed.of(whole, len(NAMED) + number, ledger.opening(None, last))
        for member in (group.members[0], group.members[-1], *rng.choice(group.members, 5).tolist()):
            own = Placed.of(trees[number], group.members.index(member), opening)
            assert NestedProof(number, own, link, there).check(ledger) == books.nets[member]
