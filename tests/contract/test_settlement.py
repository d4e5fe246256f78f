"""Settlement: periods, slots, challenges, exit, roles; every reason of the contract is met here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_hash.auto import keccak

from tests.contract.world import (
    ARBITER,
    BOND,
    CANDIDATE,
    DEPTH,
    FIRST,
    LEAD,
    MEMBERS,
    NOBODY,
    NOTICE,
    OFF,
    ON,
    OPERATOR,
    OWNER,
    PENALTY,
    PERIOD,
    SILENCE,
    SLOT,
    SLOTS,
    STRANGER,
    WALLET,
    WINDOW,
    Book,
    World,
    refused,
)
from transactive.chain.artifact import artifact, source
from transactive.chain.history import commitments
from transactive.chain.nodes.events import event_of
from transactive.chain.nodes.receipts import contract_address
from transactive.chain.packing import BIAS, MAX_BALANCE, MAX_PAID_IN, encode_nets
from transactive.core.errors import ContractRevert
from transactive.core.proofs import signing
from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import ZERO, word
from transactive.core.proofs.signed_orders import split

ROLE_REASONS = {
    "settlement: not the owner",
    "settlement: not the operator",
    "settlement: not the arbiter",
    "settlement: not allowed",
    "settlement: not the candidate",
    "settlement: not a member",
    "settlement: not the judge",
}


@pytest.fixture
def w() -> World:
    return World.fresh()


def test_a_period_from_trade_to_wallet(w):
    w.book.trade(0, 1, 250, 1000)
    w.commit()
    w.book.trade(0, 5, 50, 200)
    w.commit()
    w.propose()
    assert w.read("isPending")
    assert w.balances() == [1000] * 8  # nothing moves before the window ends
    with refused("settlement: window open"):
        w.do(STRANGER, "finalise", 9)
    w.after_window()
    with refused("settlement: no words"):
        w.do(STRANGER, "finalise", 0)
    w.do(STRANGER, "finalise", 9)
    assert w.balances() == [700, 1250, 1000, 1000, 1000, 1050, 1000, 1000]
    assert w.solvent()
    assert not w.read("isPending")
    w.do(w.members[1], "requestWithdrawal", 5000)
    with refused("settlement: notice running"):
        w.do(w.members[1], "withdraw")
    w.now += NOTICE
    w.do(w.members[1], "withdraw")
    assert w.wallet(w.members[1]) == WALLET - 1000 + 1250
    assert w.solvent()
    with refused("settlement: nothing requested"):
        w.do(w.members[1], "withdraw")


def test_window_ends_at_its_second(w):
    w.commit()
    w.propose()
    ready_at = w.read("proposal")[1]
    assert ready_at == w.now - 1 + WINDOW
    w.now = ready_at - 1
    with refused("settlement: window open"):
        w.do(STRANGER, "finalise", 9)
    w.now = ready_at
    w.do(STRANGER, "finalise", 9)


def test_notice_ends_at_its_second(w):
    w.do(w.members[0], "requestWithdrawal", 10)
    ready_at = w.read("requests", w.members[0].address)[1]
    w.now = ready_at - 1
    with refused("settlement: notice running"):
        w.do(w.members[0], "withdraw")
    w.now = ready_at
    w.do(w.members[0], "withdraw")


def test_each_period_once_and_in_order(w):
    w.book.trade(0, 1, 10)
    w.commit()
    w.now = (FIRST + 1) * PERIOD - 1
    with refused("settlement: period not over"):
        w.do(OPERATOR, "propose", FIRST, 0, encode_nets([0] * 8))
    w.propose()
    with refused("settlement: already proposed"):
        w.do(OPERATOR, "propose", FIRST, 0, w.words)
    with refused("settlement: period proposed"):
        w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, 0, 0)
    words = w.words
    w.finalise()
    with refused("settlement: nothing to settle"):
        w.do(OPERATOR, "propose", FIRST, 0, words)
    with refused("settlement: nothing proposed"):
        w.do(STRANGER, "finalise", 9)
    with refused("settlement: period closed"):
        w.do(OPERATOR, "commitSlot", FIRST * SLOTS + 3, ZERO, ZERO, 0, 0)
    w.commit()
    w.period += 1
    w.new_period()
    w.commit()
    w.end()
    with refused("settlement: earlier period open"):
        w.do(OPERATOR, "propose", w.period, 0, encode_nets([0] * 8))
    with refused("settlement: nothing to settle"):  # a period without a commitment
        w.do(OPERATOR, "propose", FIRST - 5, 0, encode_nets([0] * 8))


def test_slot_commit_rules(w):
    w.commit()
    with refused("settlement: slot committed"):  # twice
        w.do(OPERATOR, "commitSlot", w.slot - 1, ZERO, ZERO, 0, 0)
    w.now = (w.slot + 1) * SLOT - 1
    with refused("settlement: slot not over"):  # one second before its end
        w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, 0, 0)
    with refused("settlement: debit is not credit"):
        w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, MONEY.pack((5, 4, 0, 0)), 0)
    for bit in (63, 127, 191, 255):
        with refused("settlement: totals too large"):
            w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, 1 << bit, 0)
    with refused("settlement: period closed"):
        w.do(OPERATOR, "commitSlot", w.slot - SLOTS, ZERO, ZERO, 0, 0)
    w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, 0, 0)


def test_slots_out_of_order_are_refused(w):
    w.now = (w.slot + 3) * SLOT
    w.do(OPERATOR, "commitSlot", w.slot + 2, ZERO, ZERO, 0, 0)
    for earlier in (w.slot, w.slot + 1):
        with refused("settlement: slot committed"):
            w.do(OPERATOR, "commitSlot", earlier, ZERO, ZERO, 0, 0)


def test_zero_sum_lanes_and_size(w):
    w.commit()
    w.end()
    zeros = encode_nets([0] * 8)
    for words, reason in (
        (encode_nets([1, *[0] * 7]), "not zero-sum"),
        (encode_nets([5, *[0] * 6, -4]), "not zero-sum"),
        (encode_nets([BIAS - 1, -BIAS, *[0] * 6]), "overdraft or lane overflow"),
        ([zeros[0] | 1 << 63, zeros[1]], "bad lane"),
        ([zeros[0], 2**256 - 1], "bad lane"),
        (encode_nets([0] * 9), "one net for each member"),
        ([], "one net for each member"),
    ):
        with refused(f"settlement: {reason}"):
            w.do(OPERATOR, "propose", FIRST, 0, words)


def test_a_netting_in_parts():
    """The operator proposes part by part, and anew after an error; anybody applies; who joins meanwhile is not in."""
    w = World.fresh(7)
    for seller in (3, 4, 6):
        w.book.trade(0, seller, 100)
    w.commit()
    w.end()
    words = encode_nets(w.book.nets())

    def propose(first: int, part: list[int]) -> None:
        w.do(OPERATOR, "propose", FIRST, first, part)

    with refused("settlement: other part"):
        propose(1, words[1:])
    propose(0, [words[1]])
    for first in (2, 3):
        with refused("settlement: other part"):
            propose(first, words[1:])
    propose(0, words[:1])  # anew
    assert w.read("parts") == [FIRST, 2, 1, 0]
    with refused("settlement: nothing proposed"):
        w.do(STRANGER, "finalise", 9)
    with refused("settlement: not zero-sum"):
        propose(1, encode_nets([99, 0, 0]))
    for key in MEMBERS[7:9]:
        w.do(OPERATOR, "register", key.address)
    with refused("settlement: one net for each member"):
        propose(1, [*words[1:], *encode_nets([0])])
    propose(1, words[1:])
    assert w.read("proposal") == [FIRST, w.now - 1 + WINDOW]
    assert events(w)[-1] == ("Proposed", FIRST, 2, w.now - 1 + WINDOW)
    w.after_window()
    w.do(STRANGER, "finalise", 1)
    assert w.read("parts") == [FIRST, 2, 2, 1]
    assert events(w) == [("PartSettled", FIRST, 1)]
    assert [w.read("balanceOf", key.address) for key in w.members] == [1000] * 7
    w.do(w.members[5], "finalise", 1)
    assert events(w) == [("Settled", FIRST, 2)]
    assert w.balances()[:9] == [700, 1000, 1000, 1100, 1100, 1000, 1100, 0, 0]
    assert (w.read("parts"), w.read("settledPeriod")) == ([0, 0, 0, 0], FIRST)
    assert w.solvent()


@pytest.mark.parametrize("members", [4, 8])
@pytest.mark.parametrize("drain", [-1001, -BIAS])
def test_overdraft_never_passes(members, drain):
    w = World.fresh(members)
    w.commit()
    nets = [drain, 0, 0, min(-drain, BIAS - 1)]
    nets[2] = -drain - nets[3]
    with refused("settlement: overdraft or lane overflow"):
        w.propose(nets)
    assert w.balances() == [1000] * members
    w.do(OPERATOR, "retract", w.opening().content)
    w.back()
    w.commit()  # a corrected last slot
    w.propose([-1000, 1000, 0, 0])
    w.finalise()
    assert w.balances()[:2] == [0, 2000]


def test_lane_overflow_never_passes():
    w = World.fresh(4, money=0)
    for member in w.members[:3]:
        w.do(member, "deposit", MAX_PAID_IN)
    w.do(w.members[3], "deposit", 5)
    for amount in (1, 0, 2**256 - 1):
        with refused("settlement: bad amount"):
            w.do(w.members[0], "deposit", amount)
    w.commit()
    with refused("settlement: overdraft or lane overflow"):
        w.propose([MAX_PAID_IN + 2, -MAX_PAID_IN, -2, 0])
    w.propose([MAX_PAID_IN + 1, -MAX_PAID_IN, -1, 0])
    for member in w.members[:3]:  # until it is paid it may be taken back
        with refused("settlement: bad amount"):
            w.do(member, "deposit", 1)
    w.finalise()
    w.do(w.members[2], "deposit", 1)
    with refused("settlement: bad amount"):
        w.do(w.members[0], "deposit", 1)
    assert w.balances() == [MAX_BALANCE, 0, MAX_PAID_IN, 5]


def test_a_commitment_is_proved_with_its_certificates(w):
    """Another contract learns which certificates a slot committed, from the head of the period's hash chain alone."""
    for number in (7, 0, 9):
        w.book.trade(0, 1, 10)
        w.commit(certificates=bytes([number]) * 32)
    for position in range(3):
        shown = w.opening(position)
        assert w.read("isCommitted", shown.content)
        made = shown.commitment
        for part in ({"certificates": b"x" * 32}, {"root": b"x" * 32}, {"slot": made.slot + 1}, {"energy": 1}):
            assert not w.read("isCommitted", replace(shown, commitment=replace(made, **part)).content)
        assert not w.read("isCommitted", replace(shown, previous=b"x" * 32).content)
        assert not w.read("isCommitted", replace(shown, later=(*shown.later, made.hash)).content)
    with refused("isCommitted reverted without a reason"):  # a slot of no period
        w.read("isCommitted", replace(shown, later=(ZERO,) * 288).content)


def test_a_commitment_that_was_taken_back_never_counts_again(w):
    w.commit(certificates=b"a" * 32)
    w.commit(certificates=b"b" * 32)
    w.propose()
    taken = w.opening()
    w.do(OPERATOR, "retract", taken.content)
    assert not w.read("isCommitted", taken.content)
    w.back()
    assert w.read("isCommitted", w.opening().content)
    w.commit(certificates=b"c" * 32)
    assert [w.read("isCommitted", w.opening(position).content) for position in range(2)] == [True, True]
    assert not w.read("isCommitted", taken.content)
    assert [made.content for made in commitments(w.client, w.c)] == [made.content for made in w.chain]


def traded(w: World) -> World:
    w.book.trade(0, 1, 250, 1000)
    w.book.trade(2, 6, 40, 100)
    w.commit()
    return w


def test_veto_only_inside_the_window(w):
    traded(w).propose()
    ready_at = w.read("proposal")[1]
    mark = w.anchored.chain.snapshot()
    w.now = ready_at
    with refused("settlement: window closed"):
        w.do(ARBITER, "veto", w.opening().content)
    w.anchored.chain.revert(mark)
    w.client.forget()
    w.now = ready_at - 2
    with refused("settlement: other slot"):
        w.do(ARBITER, "veto", replace(w.opening(), previous=b"x" * 32).content)
    w.do(ARBITER, "veto", w.opening().content)
    assert not w.read("isPending")


def test_veto_and_correction(w):
    """The arbiter takes back two slots; the operator commits them anew."""
    w.commit()
    w.book.trade(0, 1, 999)  # never signed by member 0
    w.commit()
    w.commit()
    w.propose()
    w.do(ARBITER, "veto", w.opening(1).content)
    assert w.read("lastSlot", FIRST) == FIRST * SLOTS
    assert w.balances() == [1000] * 8
    w.back(2)
    w.book = Book(8)
    with refused("settlement: slot committed"):
        w.do(OPERATOR, "commitSlot", FIRST * SLOTS, ZERO, ZERO, 0, 0)
    w.commit()
    w.commit()
    assert w.read("isCommitted", w.opening().content)
    w.propose()
    w.finalise()
    assert w.balances() == [1000] * 8


def test_a_period_may_lose_its_first_commitment(w):
    traded(w).propose()
    w.do(OPERATOR, "retract", w.opening().content)
    assert w.read("heads", FIRST) == ZERO
    with refused("settlement: nothing to settle"):
        w.do(OPERATOR, "propose", FIRST, 0, w.words)
    w.back()
    w.commit()
    w.propose()
    w.finalise()
    assert w.balances()[:2] == [750, 1250]


def test_retract_takes_back_the_last_commitment_only(w):
    traded(w)
    w.commit()
    w.propose()
    with refused("settlement: not the last slot"):
        w.do(OPERATOR, "retract", w.opening(0).content)
    w.do(OPERATOR, "retract", w.opening().content)
    with refused("settlement: other slot"):
        w.do(OPERATOR, "retract", w.opening().content)


# -- stake and silence


def test_the_stake_leaves_only_with_notice_and_when_nothing_is_open(w):
    assert w.read("bond") == BOND
    w.do(OPERATOR, "requestBond", 2**200)
    with refused("settlement: notice running"):
        w.do(OPERATOR, "takeBond")
    w.book.trade(0, 1, 10)
    w.commit()
    w.now += NOTICE
    with refused("settlement: period open"):
        w.do(OPERATOR, "takeBond")
    w.propose()
    with refused("settlement: period open"):
        w.do(OPERATOR, "takeBond")
    w.finalise()
    before = w.wallet(OPERATOR)
    w.do(OPERATOR, "takeBond")
    assert (w.wallet(OPERATOR) - before, w.read("bond")) == (BOND, 0)
    with refused("settlement: nothing requested"):
        w.do(OPERATOR, "takeBond")
    w.period = w.now // PERIOD + 1
    w.new_period()
    with refused("settlement: stake too small"):
        w.commit()
    with refused("settlement: bad amount"):  # beyond the lane of the stake
        w.do(OPERATOR, "fundBond", 2**96)
    w.do(OPERATOR, "fundBond", PENALTY)
    w.commit()
    w.propose([1, -1, 0, 0, 0, 0, 0, 0])
    w.challenge(0)
    with refused("settlement: stake too small"):  # a netting wants one of its own
        w.propose()
    assert w.solvent()


def test_silence_opens_every_door_but_the_operators(w):
    with refused("settlement: nothing to end"):
        w.do(STRANGER, "declareSilence")
    traded(w)
    w.propose()  # nobody finalises this
    w.now = w.read("proposal")[1] + SILENCE - 1
    with refused("settlement: not silent"):
        w.do(STRANGER, "declareSilence")
    w.do(w.members[0], "requestWithdrawal", 2**200)
    w.do(STRANGER, "declareSilence")
    assert w.read("hasEnded")
    assert (w.read("bond"), w.read("awards", STRANGER.address)) == (BOND - PENALTY, PENALTY // 2)
    w.do(w.members[0], "withdraw")  # without the notice
    assert w.wallet(w.members[0]) == WALLET
    w.period = w.now // PERIOD
    w.new_period()
    with refused("settlement: period closed"):
        w.commit()
    with refused("settlement: nothing to settle"):
        w.do(OPERATOR, "propose", FIRST, 0, w.words)
    with refused("settlement: nothing proposed"):
        w.do(STRANGER, "finalise", 9)
    with refused("settlement: nothing to end"):
        w.do(STRANGER, "declareSilence")
    w.do(STRANGER, "claim")
    assert w.wallet(STRANGER) == PENALTY // 2
    with refused("settlement: nothing awarded"):
        w.do(STRANGER, "claim")
    assert w.solvent()


def test_silence_costs_nothing_when_all_is_settled(w):
    traded(w).propose()
    w.finalise()
    w.now += SILENCE + PERIOD
    w.do(STRANGER, "declareSilence")
    assert (w.read("bond"), w.read("hasEnded")) == (BOND, True)
    w.do(OPERATOR, "requestBond", BOND)
    w.now += NOTICE
    w.do(OPERATOR, "takeBond")
    assert w.solvent()


# -- paying in


def test_paying_in_for_somebody_else(w):
    w.do(w.members[0], "depositFor", w.members[1].address, 30)
    assert (w.balances()[:2], w.wallet(w.members[0])) == ([1000, 1030], WALLET - 1030)
    with refused("settlement: not a member"):
        w.do(w.members[0], "depositFor", STRANGER.address, 30)


def test_paying_in_for_many(w):
    """One transfer; each account gets its own amount and event, twice if it is named twice."""
    payer, names = w.members[0], [w.members[i].address for i in (3, 1, 3)]
    w.do(payer, "depositForMany", names, [30, 40, 50])
    assert (w.balances()[:4], w.wallet(payer)) == ([1000, 1040, 1000, 1080], WALLET - 1120)
    assert events(w) == [("Deposited", names[0], 30), ("Deposited", names[1], 40), ("Deposited", names[2], 50)]
    w.do(STRANGER, "depositForMany", [], [])
    w.do(payer, "depositForMany", [key.address for key in w.members] * 16, [1] * 128)
    assert w.balances()[:4] == [1016, 1056, 1016, 1096]
    assert w.solvent()


@pytest.mark.parametrize(
    ("accounts", "amounts", "reason"),
    [
        ([1, 2, None], [5, 5, 5], "settlement: not a member"),
        ([1, 2], [5, 0], "settlement: bad amount"),
        ([1, 2, 1], [5, 5, MAX_PAID_IN - 1004], "settlement: bad amount"),
        ([1, 2], [5], "settlement: one amount for each"),
        ([1], [5, 5], "settlement: one amount for each"),
        ([1, 2, 3, 4, 5, 6, 7], [MAX_PAID_IN - 1000] * 7, "currency: balance too low"),  # once a quarter is sent away
        ([1] * 129, [1] * 129, "depositForMany reverted without a reason"),
    ],
)
def test_paying_in_for_many_is_all_or_nothing(w, accounts, amounts, reason):
    w.do(w.members[0], "transfer", w.members[1].address, WALLET // 4, contract=w.token)
    before = w.balances(), w.wallet(w.members[0])
    names = [STRANGER.address if i is None else w.members[i].address for i in accounts]
    with refused(reason):
        w.do(w.members[0], "depositForMany", names, amounts)
    assert (w.balances(), w.wallet(w.members[0])) == before
    assert w.solvent()


def test_many_deposits_leave_what_single_ones_leave(w):
    """Same events in the same order, same balances, same wallet."""
    paid = [(6, 10), (0, 20), (3, 30), (0, 40)]
    payer, chain = w.members[5], w.anchored.chain
    mark, first = chain.snapshot(), w.client.height + 1
    for i, amount in paid:
        w.do(payer, "depositFor", w.members[i].address, amount)
    one_by_one = events(w, first), w.balances(), w.wallet(payer)
    chain.revert(mark)
    w.client.forget()
    w.do(payer, "depositForMany", [w.members[i].address for i, _ in paid], [amount for _, amount in paid])
    assert (events(w, first), w.balances(), w.wallet(payer)) == one_by_one


def test_paying_in_with_a_signature(w):
    """A member without coins for gas signs; a stranger brings it; only the member's own balance can grow."""
    member, deadline = w.members[3], w.now + 100
    w.do(member, "approve", w.c.address, 0, contract=w.token)
    domain = signing.digest(
        w.client.read(w.token, "DOMAIN_SEPARATOR"),
        keccak(
            keccak(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
            + signing.address_word(member.address)
            + signing.address_word(w.c.address)
            + b"".join(word(n) for n in (70, 0, deadline))
        ),
    )
    v, r, s = split(signing.sign(domain, bytes(member.key)))
    with refused("settlement: bad permit"):
        w.do(STRANGER, "depositWithPermit", w.members[4].address, 70, deadline, v, r, s)
    w.do(STRANGER, "depositWithPermit", member.address, 70, deadline, v, r, s)
    assert w.balances()[3] == 1070
    with refused("settlement: bad permit"):  # once
        w.do(STRANGER, "depositWithPermit", member.address, 70, deadline, v, r, s)


# -- exit, pause, roles


def test_pause_never_blocks_withdrawal(w):
    traded(w).propose()
    w.do(ARBITER, "setPaused", ON)
    with refused("settlement: paused"):
        w.do(w.members[0], "deposit", 1)
    with refused("settlement: paused"):
        w.do(w.members[0], "depositForMany", [], [])
    with refused("settlement: paused"):
        w.do(STRANGER, "finalise", 9)
    with refused("settlement: paused"):
        w.do(OPERATOR, "propose", FIRST, 0, w.words)
    w.do(w.members[0], "requestWithdrawal", 2**200)
    w.now += NOTICE
    w.do(w.members[0], "withdraw")
    assert w.wallet(w.members[0]) == WALLET - 250  # what it owes stays
    assert w.solvent()
    w.do(OWNER, "setPaused", OFF)
    w.do(w.members[0], "deposit", 1)


def test_operator_can_only_shorten_the_notice(w):
    member = w.members[0]
    w.do(member, "requestWithdrawal", 10)
    w.do(OPERATOR, "release", member.address)
    w.do(member, "withdraw")
    w.do(member, "requestWithdrawal", 10)
    ready_at = w.read("requests", member.address)[1]
    w.now += NOTICE + 5
    w.do(OPERATOR, "release", member.address)
    assert w.read("requests", member.address)[1] == ready_at
    w.do(member, "withdraw")
    with refused("settlement: nothing requested"):
        w.do(OPERATOR, "release", member.address)


def test_exit_without_operator_while_a_proposal_hangs(w):
    """Operator and arbiter vanish after a proposal that is wrong: all members get what it does not take."""
    w.commit()
    w.propose([-900, 900, 0, 0])
    for member in w.members:
        w.client.send(member, w.c, "requestWithdrawal", 2**200)
    w.mine()
    w.now += NOTICE
    for member in w.members:
        w.client.send(member, w.c, "withdraw")
    w.mine()
    assert w.balances() == [900, *[0] * 7]
    w.challenge(0)
    w.do(w.members[0], "withdraw")  # the rest of its request stood
    assert w.balances() == [0] * 8
    assert w.client.read(w.token, "balanceOf", w.c.address) == BOND


def test_role_matrix(w):
    """Every function by every kind of account: role reasons exactly where expected."""
    traded(w).propose()
    w.do(OWNER, "offerOperator", CANDIDATE.address)
    w.do(OWNER, "offerOwnership", CANDIDATE.address)
    everyone = {
        "owner": OWNER,
        "operator": OPERATOR,
        "arbiter": ARBITER,
        "member": w.members[0],
        "stranger": STRANGER,
        "candidate": CANDIDATE,
    }
    new = w.members[7].address
    nothing: tuple[Any, ...] = (ZERO, (0, ZERO, ZERO, 0, 0), [])
    calls: dict[str, tuple[list[Any], set[str]]] = {
        "register": ([new], {"operator"}),
        "registerMany": ([[]], {"operator"}),
        "follow": ([0], set(everyone)),
        "deposit": ([1], {"member"}),
        "requestWithdrawal": ([1], {"member"}),
        "release": ([w.members[0].address], {"operator"}),
        "withdraw": ([], {"member"}),
        "setLimit": ([1], {"member"}),
        "commitSlot": ([w.slot, ZERO, ZERO, 0, 0], {"operator"}),
        "propose": ([FIRST, 0, []], {"operator"}),
        "retract": ([nothing], {"operator"}),
        "fundBond": ([1], set(everyone)),
        "requestBond": ([1], {"operator"}),
        "takeBond": ([], {"operator"}),
        "depositFor": ([new, 1], set(everyone)),
        "depositForMany": ([[new], [1]], set(everyone)),
        "depositWithPermit": ([new, 1, 0, 27, ZERO, ZERO], set(everyone)),
        "declareSilence": ([], set(everyone)),
        "claim": ([], set(everyone)),
        "convict": ([nothing, new], set()),
        "convictNetting": ([nothing, new], set()),
        "setDisputes": ([new], {"owner"}),
        "finalise": ([9], set(everyone)),
        "veto": ([nothing], {"arbiter"}),
        "setPaused": ([False], {"owner", "arbiter"}),
        "setArbiter": ([new], {"owner"}),
        "offerOperator": ([new], {"owner"}),
        "acceptOperator": ([], {"candidate"}),
        "offerOwnership": ([new], {"owner"}),
        "acceptOwnership": ([], {"candidate"}),
    }
    abi = {entry["name"] for entry in w.c.abi if entry.get("stateMutability") == "nonpayable" and "name" in entry}
    assert abi == set(calls)
    chain = w.anchored.chain
    for name, (arguments, allowed) in calls.items():
        for role, account in everyone.items():
            mark = chain.snapshot()
            try:
                w.do(account, name, *arguments)
                reason = None
            except ContractRevert as error:
                reason = str(error)
            chain.revert(mark)
            w.client.forget()
            assert (reason not in ROLE_REASONS) == (role in allowed), (name, role, reason)


def test_owner_changes_in_two_steps(w):
    w.do(OWNER, "offerOwnership", CANDIDATE.address)
    assert w.read("owner") == OWNER.address
    w.do(CANDIDATE, "acceptOwnership")
    assert (w.read("owner"), w.read("pendingOwner")) == (CANDIDATE.address, NOBODY)
    with refused("settlement: not the owner"):
        w.do(OWNER, "setArbiter", STRANGER.address)


def test_arbiter_is_not_the_operator(w):
    with refused("settlement: roles must differ"):
        w.do(OWNER, "setArbiter", OPERATOR.address)
    with refused("settlement: roles must differ"):
        w.do(OWNER, "offerOperator", ARBITER.address)


def test_registration(w):
    with refused("settlement: already a member"):
        w.do(OPERATOR, "register", w.members[0].address)
    for address in (NOBODY, w.c.address):
        with refused("settlement: bad account"):
            w.do(OPERATOR, "register", address)
    for number in range(7):
        w.client.send(OPERATOR, w.c, "register", MEMBERS[8 + number].address)
    w.mine()
    assert w.read("memberCount") == 15
    assert w.read("accountOf", 14) == MEMBERS[14].address
    assert w.read("memberSince", 14) == w.now - 1
    assert w.read("balanceOf", MEMBERS[14].address) == 0
    with refused("settlement: full"):
        w.do(OPERATOR, "register", STRANGER.address)
    with refused("settlement: not a member"):
        w.read("balanceOf", STRANGER.address)


def test_registration_of_many(w):
    """All or none; events, indices and times as one by one."""
    new = [key.address for key in MEMBERS[8:15]]
    for accounts, reason in [
        ([*new[:2], w.members[0].address], "already a member"),
        ([*new[:2], new[0]], "already a member"),
        ([*new[:2], NOBODY], "bad account"),
        ([*new[:2], w.c.address], "bad account"),
        ([*new, STRANGER.address], "full"),
    ]:
        with refused(f"settlement: {reason}"):
            w.do(OPERATOR, "registerMany", accounts)
    with refused("registerMany reverted without a reason"):
        w.do(OPERATOR, "registerMany", [STRANGER.address] * 129)
    assert (w.read("memberCount"), w.read("accountOf", 8), w.read("memberNumber", new[0])) == (8, NOBODY, 0)
    chain = w.anchored.chain
    mark, first, now = chain.snapshot(), w.client.height + 1, w.now
    for address in new:
        w.client.send(OPERATOR, w.c, "register", address)
    w.mine()
    one_by_one = events(w, first), places(w)
    chain.revert(mark)
    w.client.forget()
    w.now = now
    w.do(OPERATOR, "registerMany", new[:4])
    w.now = now
    w.do(OPERATOR, "registerMany", [])
    assert w.read("memberCount") == 12
    w.do(OPERATOR, "registerMany", new[4:])
    found, times = events(w, first), places(w)
    assert found == one_by_one[0] == [("Registered", address, 8 + i) for i, address in enumerate(new)]
    assert [place[:2] for place in times] == [place[:2] for place in one_by_one[1]]
    assert [place[2] for place in times[:12]] == [place[2] for place in one_by_one[1][:12]]
    w.do(w.members[0], "depositForMany", [new[6], new[0]], [3, 4])
    assert (w.read("balanceOf", new[6]), w.read("balanceOf", new[0])) == (3, 4)


def places(world: World) -> list[tuple[str, int, int]]:
    """Account, its number and the time of its registration, by index."""
    accounts = [str(world.read("accountOf", i)) for i in range(world.read("memberCount"))]
    return [(a, world.read("memberNumber", a), world.read("memberSince", i)) for i, a in enumerate(accounts)]


def events(world: World, first: int | None = None) -> list[tuple[Any, ...]]:
    """What the settlement logged from a block on, or in the newest one: name and values, oldest first."""
    start = world.client.height if first is None else first
    found = [event_of(world.c, log) for log in world.client.logs(world.c, start)]
    return [(name, *values.values()) for name, values in found]


def test_the_judge_is_named_once(w):
    with refused("settlement: judge is fixed"):
        w.do(OWNER, "setDisputes", STRANGER.address)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": NOBODY}, "no currency"),
        ({"depth": 1}, "bad depth"),
        ({"depth": 14}, "bad depth"),
        ({"slot": 0}, "bad clock"),
        ({"slots": 0}, "bad clock"),
        ({"window": 0}, "bad clock"),
        ({"notice": NOTICE - 1}, "notice too short"),
        ({"silence": NOTICE - 1}, "silence too short"),
        ({"penalty": 2**96}, "penalty too large"),
        ({"slots": 289, "notice": 2**40, "silence": 2**40}, "too many slots"),
        ({"lead": LEAD + 1}, "notice too short"),
        ({"beneficiary": NOBODY}, "no beneficiary"),
    ],
)
def test_deployment_is_refused(w, change, reason):
    rules: dict[str, Any] = {
        "currency": w.token.address,
        "depth": DEPTH,
        "slot": SLOT,
        "slots": SLOTS,
        "window": WINDOW,
    }
    rules |= {
        "notice": NOTICE,
        "silence": SILENCE,
        "penalty": PENALTY,
        "beneficiary": ARBITER.address,
        "lead": LEAD,
        "registry": NOBODY,
    } | change
    w.client.deploy(OWNER, "settlement", *rules.values())
    with refused(f"settlement: {reason}"):
        w.mine()


HOSTILE = """
# pragma version 0.4.3
interface Victim:
    def withdraw() -> uint256: nonpayable
    def requestWithdrawal(amount: uint256): nonpayable
balanceOf: public(HashMap[address, uint256])
mode: uint256
@deploy
def __init__(mode: uint256):
    self.mode = mode
@external
def transferFrom(sender: address, to: address, amount: uint256) -> bool:
    if self.mode == 1:
        return False
    self.balanceOf[to] += amount - (1 if self.mode == 2 else 0)
    return True
@external
def transfer(to: address, amount: uint256) -> bool:
    if self.mode == 4:
        return False
    if self.mode == 3:
        extcall Victim(msg.sender).withdraw()
    self.balanceOf[msg.sender] -= amount
    return True
@external
def ask(victim: address, amount: uint256):
    extcall Victim(victim).requestWithdrawal(amount)
"""


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (1, "tokens: transfer failed"),  # says no
        (2, "tokens: other amount came"),  # keeps a fee
        (3, "withdraw reverted without a reason"),  # calls back
        (4, "tokens: transfer failed"),  # says no when paying
    ],
)
def test_hostile_currencies(w, mode, reason):
    import vyper

    code = vyper.compile_code(HOSTILE, output_formats=["abi", "bytecode"])
    client = w.client
    factory = client._web3.eth.contract(abi=code["abi"], bytecode=code["bytecode"])
    address = contract_address(STRANGER.address, client._peek_nonce(STRANGER.address))
    client._enqueue(STRANGER, None, factory.constructor(mode).data_in_transaction, "deploy hostile")
    token = client._web3.eth.contract(address=address, abi=code["abi"])
    c = client.deploy(
        *(OWNER, "settlement", token.address, DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY),
        *(ARBITER.address, LEAD, NOBODY),
    )
    client.send(OWNER, c, "offerOperator", OPERATOR.address)
    client.send(OPERATOR, c, "acceptOperator")
    for address in (MEMBERS[0].address, token.address):
        client.send(OPERATOR, c, "register", address)
    w.mine()
    if mode <= 2:
        with refused(reason):
            w.do(MEMBERS[0], "deposit", 10, contract=c)
        return
    w.do(MEMBERS[0], "deposit", 10, contract=c)
    w.do(MEMBERS[0], "requestWithdrawal", 10, contract=c)
    w.do(STRANGER, "ask", c.address, 10, contract=token)
    w.now += NOTICE
    with refused(reason):
        w.do(MEMBERS[0], "withdraw", contract=c)
    assert client.read(token, "balanceOf", c.address) == 10


def test_every_reason_is_met_by_a_test_here():
    reasons = set(re.findall(r'"(settlement: [^"]+)"', source("settlement")))
    here = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_[ads]*.py"))
    assert len(reasons) > 35
    assert [reason for reason in sorted(reasons) if reason.split(": ")[1] not in here] == []


def test_code_fits_a_chain():
    for name in ("currency", "settlement", "disputes"):
        assert artifact(name).runtime_bytes < 24_576


def test_the_head_of_a_period_lies_where_the_artifact_says(w):
    """What a proof of storage on another chain begins with."""
    w.commit()
    place = int.from_bytes(keccak(word(artifact("settlement").storage["heads"]) + word(w.period)))
    held = w.client._node.ask("eth_getStorageAt", w.c.address, hex(place), "latest")
    assert bytes.fromhex(held[2:]).rjust(32, b"\0") == w.read("heads", w.period) == w.opening().head
