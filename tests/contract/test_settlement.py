"""Settlement: periods, slots, challenges, exit, roles; every reason of the contract is met here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.contract.world import (
    ARBITER,
    CANDIDATE,
    DEPTH,
    FIRST,
    MEMBERS,
    NOBODY,
    NOTICE,
    OFF,
    ON,
    OPERATOR,
    OWNER,
    PERIOD,
    SLOT,
    SLOTS,
    STRANGER,
    WALLET,
    WINDOW,
    Book,
    Forged,
    World,
    refused,
)
from transactive.chain.artifact import artifact, source
from transactive.chain.client import contract_address
from transactive.chain.packing import BIAS, MAX_BALANCE, encode_nets
from transactive.core.errors import ContractRevert
from transactive.core.merkle import MONEY, ZERO, climb, leaf_hash

ROLE_REASONS = {
    "settlement: not the owner",
    "settlement: not the operator",
    "settlement: not the arbiter",
    "settlement: not allowed",
    "settlement: not the candidate",
    "settlement: not a member",
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
        w.do(STRANGER, "finalise", w.words)
    w.after_window()
    with refused("settlement: other words"):
        w.do(STRANGER, "finalise", encode_nets([0] * 8))
    w.do(STRANGER, "finalise", w.words)
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
        w.do(STRANGER, "finalise", w.words)
    w.now = ready_at
    w.do(STRANGER, "finalise", w.words)


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
        w.do(OPERATOR, "propose", FIRST, encode_nets([0]))
    w.propose()
    with refused("settlement: already proposed"):
        w.do(OPERATOR, "propose", FIRST, w.words)
    with refused("settlement: period proposed"):
        w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, 0, 0)
    words = w.words
    w.finalise()
    with refused("settlement: nothing to settle"):
        w.do(OPERATOR, "propose", FIRST, words)
    with refused("settlement: nothing proposed"):
        w.do(STRANGER, "finalise", words)
    with refused("settlement: period closed"):
        w.do(OPERATOR, "commitSlot", FIRST * SLOTS + 3, ZERO, ZERO, 0, 0)
    w.commit()
    w.period += 1
    w.new_period()
    w.commit()
    w.end()
    with refused("settlement: earlier period open"):
        w.do(OPERATOR, "propose", w.period, encode_nets([0]))
    with refused("settlement: nothing to settle"):  # a period without a commitment
        w.do(OPERATOR, "propose", FIRST - 5, encode_nets([0]))


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
    bad_top = encode_nets([0] * 8)
    bad_top[0] |= 1 << 63
    for words, reason in (
        (encode_nets([1, 0, 0, 0]), "not zero-sum"),
        (encode_nets([BIAS - 1, -BIAS, 0, 0]), "not zero-sum"),
        (bad_top, "bad lane"),
        ([2**256 - 1], "bad lane"),
        (encode_nets([0] * 12), "unknown members"),
    ):
        with refused(f"settlement: {reason}"):
            w.do(OPERATOR, "propose", FIRST, words)


@pytest.mark.parametrize("members", [4, 8])
@pytest.mark.parametrize("drain", [-1001, -BIAS])
def test_overdraft_never_passes(members, drain):
    w = World.fresh(members)
    w.commit()
    nets = [drain, 0, 0, min(-drain, BIAS - 1)]
    nets[2] = -drain - nets[3]
    w.propose(encode_nets(nets))
    w.after_window()
    with refused("settlement: overdraft or lane overflow"):
        w.do(STRANGER, "finalise", w.words)
    assert w.balances() == [1000] * members
    w.do(OPERATOR, "retract")
    w.slot -= 1
    w.commit()  # a corrected last slot
    w.propose(encode_nets([-1000, 1000, 0, 0]))
    w.finalise()
    assert w.balances()[:2] == [0, 2000]


def test_lane_overflow_never_passes():
    w = World.fresh(4, money=0)
    w.do(w.members[0], "deposit", MAX_BALANCE)
    w.do(w.members[1], "deposit", 5)
    for amount in (1, 0, 2**256 - 1):
        with refused("settlement: bad amount"):
            w.do(w.members[0], "deposit", amount)
    w.commit()
    w.propose(encode_nets([1, -1, 0, 0]))
    w.after_window()
    with refused("settlement: overdraft or lane overflow"):
        w.do(STRANGER, "finalise", w.words)
    assert w.balances() == [MAX_BALANCE, 5, 0, 0]


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


def test_a_void_commitment_never_counts_again(w):
    w.commit(certificates=b"a" * 32)
    w.commit(certificates=b"b" * 32)
    w.propose()
    w.do(OPERATOR, "retract")
    assert [w.read("isCommitted", w.opening(position).content) for position in range(2)] == [True, False]
    w.slot -= 1
    w.commit(certificates=b"c" * 32)
    assert [w.read("isCommitted", w.opening(position).content) for position in range(3)] == [True, False, True]


# -- challenges


def traded(w: World) -> World:
    w.book.trade(0, 1, 250, 1000)
    w.book.trade(2, 6, 40, 100)
    w.commit()
    return w


def test_an_honest_proposal_cannot_be_challenged(w):
    traded(w).propose()
    for index in range(8):
        with refused("settlement: no fraud shown"):
            w.challenge(index)
    with refused("settlement: no fraud shown"):  # a place without a member
        w.challenge(11, 0)
    with refused("settlement: bad proof"):  # a false leaf
        w.challenge(0, w.book.sums(0) + 1)
    with refused("settlement: bad proof"):  # somebody else's leaf
        w.challenge(1, w.book.sums(0), w.tree.proof(0))
    with refused("settlement: bad proof"):
        w.challenge(0, proof=w.tree.proof(0)[:-1])
    with refused("settlement: bad proof"):
        w.challenge(16, 0, w.tree.proof(0))
    first, *rest = w.tree.proof(0)
    with refused("settlement: bad proof"):  # false sums beside the leaf
        w.challenge(0, proof=[(first[0], first[1] + 1, first[2]), *rest])
    with refused("settlement: other slot"):
        w.chain[-1] = replace(w.chain[-1], money=0)
        w.challenge(0)
    with refused("settlement: other words"):
        w.words = encode_nets([0] * 8)
        w.challenge(0)


@pytest.mark.parametrize("index", range(8))
def test_words_that_differ_from_the_leaves_are_voided(w, index):
    traded(w)
    nets = w.book.nets()
    nets[index] -= 7
    nets[(index + 1) % 8] += 7
    w.propose(encode_nets(nets))
    w.challenge(index)
    assert not w.read("isPending")
    with refused("settlement: nothing proposed"):
        w.do(STRANGER, "finalise", w.words)
    w.slot -= 1
    w.commit()
    w.propose()
    w.finalise()
    assert w.balances()[:2] == [750, 1250]


def test_a_void_reopens_the_last_slot_once(w):
    traded(w)
    w.commit()
    for _ in range(2):  # a second void without a new commitment would reopen the slot before
        w.propose(encode_nets([0] * 8))
        w.do(OPERATOR, "retract")
        with refused("settlement: last slot not repeated"):
            w.do(OPERATOR, "propose", FIRST, encode_nets([0] * 8))
        with refused("settlement: slot committed"):
            w.do(OPERATOR, "commitSlot", FIRST * SLOTS, ZERO, ZERO, 0, 0)
        w.slot -= 1
        w.commit()
        with refused("settlement: slot committed"):
            w.do(OPERATOR, "commitSlot", w.slot - 1, ZERO, ZERO, 0, 0)
    w.propose()
    w.finalise()
    assert w.balances()[:2] == [750, 1250]


def test_debit_of_a_member_without_trades_is_voided(w):
    traded(w)
    w.propose(encode_nets([-250, 250, -40, -100, 100, 0, 40, 0]))
    w.challenge(3, 0)
    assert not w.read("isPending")


def test_challenge_and_veto_only_inside_the_window(w):
    traded(w)
    w.propose(encode_nets([-251, 251, -40, 0, 0, 0, 40, 0]))
    mark = w.anchored.chain.snapshot()
    ready_at = w.read("proposal")[1]
    w.now = ready_at - 1
    w.challenge(0)
    assert not w.read("isPending")
    w.anchored.chain.revert(mark)
    w.client.forget()
    w.now = ready_at
    with refused("settlement: window closed"):
        w.challenge(0)
    with refused("settlement: window closed"):
        w.do(ARBITER, "veto")


@pytest.mark.parametrize(("level", "position"), [(0, 3), (1, 0), (2, 1), (3, 0)])
def test_sums_that_do_not_add_up_are_voided(w, level, position):
    """An operator hides part of the debits in an inner node; the member below can show it."""
    w.book.trade(0, 3, 250, 10)
    w.book.trade(3, 0, 250, 10)
    w.book.trade(4, 5, 30, 10)
    honest = w.book.tree(w.slot)
    leaves = [honest.node(0, i) for i in range(8)]
    w.commit(Forged(leaves, (level, position, MONEY.pack((1, 1, 10, 10)))))
    w.propose()
    w.challenge(position << level)
    assert not w.read("isPending")


def test_sum_that_would_carry_into_the_next_lane_is_voided(w):
    """The sibling is chosen so that the addition wraps; without the clear top bits it would pass."""
    leaf = MONEY.pack((5, 5, 0, 0))
    evil = 2**256 - leaf  # every lane wraps: both words add to zero, as the totals say
    nodes = [(leaf_hash(w.slot, 0, leaf), leaf), (leaf_hash(w.slot, 1, evil), evil)]
    tree = Forged(nodes)
    assert tree.totals == 0
    w.commit(tree)
    w.propose(encode_nets([0] * 8))
    w.challenge(0, leaf)
    assert not w.read("isPending")


def test_totals_that_differ_from_the_tree_are_voided(w):
    traded(w)
    w.commit(totals=0)
    w.propose()
    w.challenge(5, 0)
    assert not w.read("isPending")


def test_climb_in_python_agrees_with_the_contract(w):
    """The contract calls a proof bad exactly where `climb` leads to another root."""
    traded(w).propose()
    for index in range(8):
        sums, proof = w.book.sums(index), w.tree.proof(index)
        for place, part, change in ((None, 0, 0), (0, 1, 1), (2, 2, 1 << 64), (3, 1, 1 << 63)):
            tampered = list(proof)
            if place is not None:
                step = list(tampered[place])
                step[part] ^= change
                tampered[place] = tuple(step)
            root, totals, consistent = climb((leaf_hash(w.slot - 1, index, sums), sums), index, tampered, MONEY)
            honest = root == w.tree.root
            assert honest == (place is None)
            assert not honest or (totals == w.tree.totals and consistent)
            with refused("settlement: no fraud shown" if honest else "settlement: bad proof"):
                w.challenge(index, proof=tampered)


def test_debit_limit(w):
    w.do(w.members[0], "setLimit", 100)
    w.book.trade(0, 1, 250)
    w.commit()
    w.propose()
    with refused("settlement: no fraud shown"):  # not yet in force
        w.challenge(0)
    with refused("settlement: last change still open"):
        w.do(w.members[0], "setLimit", 0)
    w.finalise()
    w.book.trade(0, 1, 101)
    w.book.trade(2, 1, 100)
    w.commit()
    w.propose()
    w.challenge(0)
    w.slot -= 1
    w.book.trade(1, 0, 1)
    w.commit()
    w.propose()
    with refused("settlement: no fraud shown"):
        w.challenge(0)
    w.finalise()
    w.do(w.members[0], "setLimit", 2**256 - 1)
    w.do(w.members[2], "setLimit", 0)
    w.period += 1
    w.new_period()
    w.book.trade(0, 1, 600)
    w.commit()
    w.propose()
    with refused("settlement: no fraud shown"):
        w.challenge(0)


def test_veto_and_correction(w):
    w.book.trade(0, 1, 999)  # never signed by member 0
    w.commit()
    w.propose()
    w.do(ARBITER, "veto")
    assert w.balances() == [1000] * 8
    w.slot -= 1
    w.book = Book(8)
    w.commit()
    w.propose()
    w.finalise()
    assert w.balances() == [1000] * 8


# -- exit, pause, roles


def test_pause_never_blocks_withdrawal(w):
    traded(w).propose()
    w.do(ARBITER, "setPaused", ON)
    with refused("settlement: paused"):
        w.do(w.members[0], "deposit", 1)
    with refused("settlement: paused"):
        w.do(STRANGER, "finalise", w.words)
    with refused("settlement: paused"):
        w.do(OPERATOR, "propose", FIRST, w.words)
    w.do(w.members[0], "requestWithdrawal", 2**200)
    w.now += NOTICE
    w.do(w.members[0], "withdraw")
    assert w.wallet(w.members[0]) == WALLET
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
    """Operator and arbiter vanish after a proposal nobody can apply: all members still get their money."""
    w.commit()
    w.propose(encode_nets([-1001, 1001, 0, 0]))
    for member in w.members:
        w.client.send(member, w.c, "requestWithdrawal", 2**200)
    w.mine()
    w.now += NOTICE
    for member in w.members:
        w.client.send(member, w.c, "withdraw")
    w.mine()
    assert w.balances() == [0] * 8
    assert w.client.read(w.token, "balanceOf", w.c.address) == 0


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
    new = MEMBERS[15].address
    calls: dict[str, tuple[list[Any], set[str]]] = {
        "register": ([new], {"operator"}),
        "deposit": ([1], {"member"}),
        "requestWithdrawal": ([1], {"member"}),
        "release": ([w.members[0].address], {"operator"}),
        "withdraw": ([], {"member"}),
        "setLimit": ([1], {"member"}),
        "commitSlot": ([w.slot, ZERO, ZERO, 0, 0], {"operator"}),
        "propose": ([FIRST, []], {"operator"}),
        "retract": ([], {"operator"}),
        "finalise": ([[]], set(everyone)),
        "challenge": ([[], 0, 0, [], ZERO, (0, ZERO, ZERO, 0, 0)], set(everyone)),
        "veto": ([], {"arbiter"}),
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
    for number in range(8):
        w.client.send(OPERATOR, w.c, "register", MEMBERS[8 + number].address)
    w.mine()
    assert w.read("memberCount") == 16
    assert w.read("accountOf", 15) == MEMBERS[15].address
    assert w.read("balanceOf", MEMBERS[15].address) == 0
    with refused("settlement: full"):
        w.do(OPERATOR, "register", STRANGER.address)
    with refused("settlement: not a member"):
        w.read("balanceOf", STRANGER.address)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"currency": NOBODY}, "no currency"),
        ({"depth": 1}, "bad depth"),
        ({"depth": 13}, "bad depth"),
        ({"slot": 0}, "bad clock"),
        ({"slots": 0}, "bad clock"),
        ({"window": 0}, "bad clock"),
        ({"notice": NOTICE - 1}, "notice too short"),
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
    rules |= {"notice": NOTICE} | change
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
        (1, "settlement: transfer failed"),  # says no
        (2, "settlement: short transfer"),  # keeps a fee
        (3, "withdraw reverted without a reason"),  # calls back
        (4, "settlement: transfer failed"),  # says no when paying
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
    c = client.deploy(OWNER, "settlement", token.address, DEPTH, SLOT, SLOTS, WINDOW, NOTICE)
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
    reasons = set(re.findall(r'"settlement: ([^"]+)"', source("settlement")))
    here = Path(__file__).read_text(encoding="utf-8")
    assert len(reasons) > 35
    assert [reason for reason in sorted(reasons) if reason not in here] == []


def test_code_fits_a_chain():
    for name in ("currency", "settlement"):
        assert artifact(name).runtime_bytes < 24_576
