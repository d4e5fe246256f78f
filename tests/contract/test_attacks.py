"""Attacks that once worked: each ends without harm, and with a conviction where somebody misbehaved.

`tests/fuzz/mutants` puts each fault back into the contracts, and `tests/fuzz/test_mutants.py` sees these tests fail.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import pytest
from eth_hash.auto import keccak

from tests.contract.certificate_world import BUNDLES, FOREST, PROJECT, VALIDITY, CertificateWorld
from tests.contract.certificate_world import MEMBERS as MEMBERS_OF_CERTIFICATES
from tests.contract.market_world import SLOT as SECONDS
from tests.contract.market_world import WINDOW as CLOSES
from tests.contract.market_world import MarketWorld
from tests.contract.world import (
    AGENT,
    ARBITER,
    BOND,
    CANDIDATE,
    DEPTH,
    FIRST,
    GATEWAY,
    LEAD,
    MEMBERS,
    NOBODY,
    NOTICE,
    ON,
    ON_RAMP,
    OPERATOR,
    OWNER,
    PENALTY,
    PERIOD,
    RECOVERY,
    REGISTRAR,
    SILENCE,
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
from tests.twins.certificates import token_id
from transactive.chain.commitments import Commitment, Opening
from transactive.chain.disputes import evidence
from transactive.chain.disputes.findings import Case
from transactive.chain.disputes.leaf_file import LeafFile, leaf_file
from transactive.chain.nodes.events import event_of
from transactive.chain.packing import MAX_BALANCE, MAX_PAID_IN, encode_nets
from transactive.chain.twins import disputes
from transactive.core.proofs import signing
from transactive.core.proofs.leaves import MONEY, Leaf, LeafMark
from transactive.core.proofs.merkle import ZERO, word
from transactive.core.proofs.receipts import RecordReceipt, sign_receipt
from transactive.core.proofs.signed_orders import (
    Fills,
    Grant,
    Order,
    SignedOrder,
    orders_hash,
    sign_grant,
    sign_order,
    split,
)

PERMIT = b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"


@pytest.fixture
def w() -> World:
    return World.fresh()


@pytest.fixture
def kept() -> World:
    """Members are kept in a registry, where lost keys are replaced."""
    return World.fresh(registry=True)


@pytest.fixture
def cw() -> CertificateWorld:
    return CertificateWorld.made()


@pytest.fixture
def direct() -> CertificateWorld:
    return CertificateWorld.made(direct=True)


def join(w: World, key: Any, money: int = 1_000) -> int:
    """Somebody becomes a member in the middle of a period, and pays in."""
    w.do(OPERATOR, "register", key.address)
    w.client.send(ON_RAMP, w.token, "mint", key.address, WALLET)
    w.client.send(key, w.token, "approve", w.c.address, 2**256 - 1)
    w.do(key, "deposit", money)
    w.members = [*w.members, key]
    return len(w.members) - 1


def convicted(w: World, times: int = 1) -> None:
    """The stake paid so often, and no netting waits."""
    assert w.read("bond") == BOND - times * PENALTY
    assert not w.read("isPending")
    assert w.solvent()


# -- absence is not zero


def test_who_joins_after_the_last_commitment_owes_nothing(w):
    """The operator commits one slot of the period only, and debits a member that has no leaf there."""
    w.commit()
    new = join(w, MEMBERS[8])
    nets = [900, *[0] * 7, -900]
    w.propose(nets)
    blank = w.shown(new, leaf=Leaf(0, 0, 900, 0, 0, 0, ZERO, ZERO, ZERO), blank=True)
    w.judge("challengeNetting", w.opening().content, blank)
    convicted(w)
    assert w.read("balanceOf", MEMBERS[8].address) == 1_000


def test_a_member_without_a_leaf_finds_it_with_a_file(w):
    """The operator's file says that its place is empty; the client brings the evidence by itself."""
    w.commit()
    new = join(w, MEMBERS[8])
    w.propose([900, *[0] * 7, -900])
    proof = w.trees[w.slot - 1].proof(new)
    made = leaf_file(w.client.chain_id, w.c.address, new, None, proof, w.opening(), [], Fills())
    file = msgspec.json.decode(msgspec.json.encode(made), type=LeafFile)
    found = Case(w.client, file).findings()
    assert [one.function for one in found] == ["challengeNetting"]
    w.judge(found[0].function, *found[0].arguments)
    convicted(w)


def test_nobody_is_credited_before_it_is_registered(w):
    join(w, MEMBERS[8])
    w.book = Book(9)
    w.book.trade(0, 1, 100)
    w.commit()
    for beyond in (9, 10, 11):
        nets = [-100, *[0] * 11]
        nets[beyond] = 100
        with refused("settlement: net of nobody"):
            w.propose(nets)
    w.propose()


def test_a_member_begins_with_the_totals_of_its_first_slot(w):
    """Its first leaf states what it never traded; the commitment before has no leaf of it."""
    w.commit()
    join(w, MEMBERS[8])
    w.book = book = Book(9)
    book.money[8][0], book.money[0][1] = 500, 500  # running totals, not the slot's own
    w.commit()
    first, second = (w.opening(k).content for k in range(2))
    honest = w.shown(7), first, w.shown(7, 0)
    with refused("disputes: no fraud shown"):
        w.judge("challengeTotals", second, *honest)
    w.judge("challengeTotals", second, w.shown(8), first, w.shown(8, 0, blank=True, leaf=evidence.BLANK))
    convicted(w)


def test_a_leaf_cannot_vanish_with_its_totals(w):
    w.book.trade(0, 1, 100)
    w.commit()
    tree = w.book.tree(w.slot)
    _, money, energy = tree.node(0, 1)  # the blinding leaf takes over what was stated
    w.commit(
        Forged(tree, places={0: (ZERO, 0, 0), 1: (b"b" * 32, money + tree.leaf(0).money, energy + tree.leaf(0).energy)})
    )
    w.judge("challengeTotals", w.opening().content, w.shown(0, blank=True), w.opening(0).content, w.shown(0, 0))
    convicted(w)


def test_an_accepted_order_is_left_out_with_its_leaf(w):
    """A receipt was given, and the place is empty."""
    order = Order(0, w.slot, 0, ((200, 5),), ())
    receipt = sign_receipt(order, bytes(OPERATOR.key), w.domain)
    w.commit(Forged(w.book.tree(w.slot), places={0: (ZERO, 0, 0)}))
    shown = w.shown(0, blank=True, leaf=evidence.BLANK)
    w.judge("challengeOmission", w.opening().content, shown, [], order.hash, receipt.content)
    convicted(w)


def test_what_is_shown_of_an_empty_place_does_not_count(w):
    """A challenger writes totals beside "nothing is there"."""
    new = join(w, MEMBERS[8])
    w.commit()
    w.propose()
    lie = Leaf(0, new, MONEY.pack((700, 0, 0, 0)), 0, 0, 0, ZERO, ZERO, ZERO)
    for shown in (w.shown(new, blank=True, leaf=lie), w.shown(11, blank=True, leaf=lie)):
        with refused("disputes: no fraud shown"):
            w.judge("challengeNetting", w.opening().content, shown)
    assert w.read("bond") == BOND


def test_certificates_of_who_has_no_leaf_of_money(cw):
    """A leaf of certificates states energy, and the settlement's own place of the member is empty."""
    cw.commit_carbon(own_places={0: (ZERO, 0, 0)})
    own = cw.shown(0, blank=True, leaf=evidence.BLANK)
    cw.evidence("challengeMoney", cw.opening().content, cw.carbon_shown(0), own)
    convicted(cw)


# -- final means one thing


def test_silence_makes_nothing_final(cw):
    """Certificates of a period whose money was never settled leave with nobody, whenever the books are closed."""
    cw.commit_carbon()
    cw.final = cw.opening()
    assert not cw.read("isFinal", cw.final.content)
    cw.now += SILENCE
    cw.do(STRANGER, "declareSilence")
    with refused("certificates: not final"):
        cw.release(0)
    assert cw.read("settledPeriod") == 0
    assert cw.read("isCommitted", cw.final.content)
    assert not cw.read("isFinal", cw.final.content)


def test_nothing_is_committed_without_a_stake(w):
    """The operator settles, takes its stake, and commits an old slot that nobody can make it answer for."""
    w.commit()
    w.propose()
    opening = w.opening()
    w.do(OPERATOR, "requestBond", BOND)
    w.finalise()
    assert w.read("isFinal", opening.content)
    w.now = max(w.now, w.read("bondRequest")[1])
    w.do(OPERATOR, "takeBond")
    with refused("settlement: stake too small"):
        w.commit()


def test_a_veto_and_a_silence_do_not_close_the_books(w):
    """A netting is proposed late; arbiter and a stranger together would have the stake at once."""
    w.commit()
    w.now += SILENCE - WINDOW
    w.propose()
    w.do(ARBITER, "veto", w.opening().content)
    w.now += WINDOW
    with refused("settlement: not silent"):
        w.do(STRANGER, "declareSilence")
    w.back()
    w.commit()
    w.propose()
    w.finalise()
    with refused("settlement: not silent"):
        w.do(STRANGER, "declareSilence")


def test_what_is_committed_late_is_heard(w):
    """The operator completes an older period while nothing new happens."""
    w.commit()
    w.do(OPERATOR, "commitSlot", *empty_slot(w, (FIRST + 1) * SLOTS))
    w.now += SILENCE - 100
    w.do(OPERATOR, "commitSlot", *empty_slot(w, FIRST * SLOTS + 1))
    w.now += 200
    with refused("settlement: not silent"):
        w.do(STRANGER, "declareSilence")
    w.now += SILENCE
    w.do(STRANGER, "declareSilence")


def empty_slot(w: World, slot: int) -> tuple[Any, ...]:
    """Content of a commitment in which nothing happened; time goes on to its end."""
    w.now = max(w.now, (slot + 1) * SLOT)
    tree = Book(len(w.members)).tree(slot)
    return slot, tree.root, ZERO, tree.money, tree.energy


# -- a choice outside the signature, and bounds of certificates


def test_nobody_chooses_who_gets_no_certificates(direct):
    """Whoever brings signed readings first would keep a member from its certificates, or its credits from it."""
    slot = direct.now // SLOT
    direct.now = (slot + 1) * SLOT
    number, packed, accounts, _, signature = direct.issue_arguments(slot)
    with refused("certificates: not the gateway"):
        direct.act(STRANGER, "issue", number, packed, accounts, 0b1, signature)
    spared = direct.issue_arguments(slot, spared=0b1)
    with refused("certificates: not the gateway"):
        direct.act(STRANGER, "issue", *spared[:3], 0, spared[4])
    direct.act(STRANGER, "issue", number, packed, accounts, 0, signature)
    assert direct.held(0, token_id(0, slot, 0)) == 1_000


def test_a_revoked_reading_gives_nothing_more(direct):
    slot = direct.now // SLOT
    direct.now = (slot + 1) * SLOT
    direct.act(STRANGER, "issue", *direct.issue_arguments(slot, spared=0b1))
    for member in (0, 2):
        direct.act(GATEWAY, "revoke", slot, member)
    with refused("certificates: reading revoked"):
        arguments = (PROJECT, 2026, b"s" * 32, 1, OWNER.address, 0, [slot])
        direct.do(OWNER, "issueAvoided", *arguments, contract=direct.credits)
    token = token_id(0, slot, 8)  # of member 4, whose reading stands
    direct.act(direct.members[4], "transfer", direct.members[2].address, token, 10)
    with refused("certificates: reading revoked"):
        direct.act(direct.members[2], "claim", 2, b"b" * 32, [token], [10])


def test_a_bundle_of_nobody_locks_no_leaf(cw):
    """Its Wh wait for the account; the rest leaves, and consumption can be claimed against."""
    rows = [
        bundle if k != 2 else (*bundle[:3], MEMBERS_OF_CERTIFICATES, *bundle[4:]) for k, bundle in enumerate(BUNDLES)
    ]
    cw.commit_carbon(rows)
    cw.finish()
    cw.release(0)
    slot = cw.slot_of_final
    token = token_id(0, slot, 0)
    assert cw.held(0, token) == 100
    with refused("multitoken: bad receiver"):
        cw.act(STRANGER, "collect", token, MEMBERS_OF_CERTIFICATES)
    cw.do(OPERATOR, "register", MEMBERS[8].address)
    cw.act(STRANGER, "collect", token, MEMBERS_OF_CERTIFICATES)
    assert cw.certificate("balanceOf", MEMBERS[8].address, token) == 400
    with refused("certificates: nothing waits"):
        cw.act(STRANGER, "collect", token, MEMBERS_OF_CERTIFICATES)


def test_what_was_issued_before_accounts_moved_is_issued_once(cw, direct):
    """New contracts that take a slot of before would give everybody its certificates twice."""
    cw.commit_carbon()
    cw.finish()
    cw.release(0)
    later = cw.client.deploy(OWNER, "certificates", cw.c.address, not ON, VALIDITY, cw.slot_of_final + 1)
    cw.mine()
    with refused("certificates: issued before"):
        arguments = cw.final.content, cw.carbon_shown(0), cw.carbon.record(0, None)
        cw.do(STRANGER, "release", *arguments, contract=later)
    slot = direct.now // SLOT
    direct.now = (slot + 1) * SLOT
    direct.act(STRANGER, "issue", *direct.issue_arguments(slot))
    later = direct.client.deploy(OWNER, "certificates", direct.c.address, ON, VALIDITY, slot + 1)
    direct.mine()
    direct.do(STRANGER, "enrol", contract=later)
    for number, reason in ((slot, "issued before"), (slot + 1, "slot not over")):
        with refused(f"certificates: {reason}"):
            arguments = direct.issue_arguments(number, contract=later.address)
            direct.do(STRANGER, "issue", *arguments, contract=later)


# -- no free way out for the accused


def netting_evidence(w: World, index: int) -> tuple[Any, ...]:
    """What shows a net amount to the judge, kept for later."""
    return w.opening().content, w.shown(index)


@pytest.mark.parametrize("how", ["retract", "veto"])
def test_what_was_taken_back_can_still_be_challenged(w, how):
    """All fraud of a period sits in its last commitment, and goes away as soon as somebody sees it."""
    w.commit()
    honest = w.opening(0).content
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={1: replace(tree.leaf(1), index=2)}))
    w.propose()
    bad, shown, still = w.opening().content, w.shown(1), (w.opening(0).content, w.shown(0, 0))
    assert honest[2] != still[0][2]
    w.do(OPERATOR if how == "retract" else ARBITER, how, bad)
    assert w.read("isContestable", bad)
    assert not w.read("isContestable", still[0])  # it still counts, under another head
    w.back()
    w.commit()
    with refused("disputes: no fraud shown"):
        w.judge("challengeLeaf", *still)
    w.judge("challengeLeaf", bad, shown)
    convicted(w)
    assert w.read("isCommitted", w.opening().content)  # what was committed anew stands
    with refused("settlement: other slot"):  # once
        w.judge("challengeLeaf", bad, shown)


def test_net_amounts_that_were_taken_back_can_still_be_challenged(w):
    w.book.trade(0, 1, 100)
    w.commit()
    w.propose([-170, 170, *[0] * 6])
    bad = netting_evidence(w, 0)
    w.do(OPERATOR, "retract", bad[0])
    w.back()
    w.commit()
    w.propose([-100, 100, *[0] * 6])
    w.judge("challengeNetting", *bad)
    assert w.read("bond") == BOND - PENALTY
    assert w.read("isPending")  # the right one goes on
    w.finalise()


def test_the_same_commitments_do_not_hide_what_was_taken_back(w):
    """The operator proposes other amounts over the very same head: nobody could show the first ones any more."""
    w.book.trade(0, 1, 100)
    w.commit()
    w.propose([-900, 900, *[0] * 6])
    bad, same = netting_evidence(w, 0), w.opening().content
    w.do(OPERATOR, "retract", same)
    w.do(OPERATOR, "commitSlot", *same[1])
    with refused("settlement: was taken back"):
        w.propose([-100, 100, *[0] * 6])
    w.judge("challengeNetting", *bad)
    assert w.read("bond") == BOND - PENALTY
    w.propose([-100, 100, *[0] * 6])


def test_a_second_retraction_does_not_hide_the_first(w):
    """The very same slot is committed and taken back once more, without amounts: its own would stand for the first."""
    w.book.trade(0, 1, 100)
    w.commit()
    w.propose([-900, 900, *[0] * 6])
    bad, same = netting_evidence(w, 0), w.opening().content
    w.do(OPERATOR, "retract", same)
    w.do(OPERATOR, "commitSlot", *same[1])
    with refused("settlement: was taken back"):
        w.do(OPERATOR, "retract", same)
    w.judge("challengeNetting", *bad)
    assert w.read("bond") == BOND - PENALTY
    w.do(OPERATOR, "retract", same)


def test_a_veto_once_more_does_not_hide_the_first(w):
    """Operator and arbiter together: what one of them took back, the other one cannot take from the members."""
    w.book.trade(0, 1, 100)
    w.commit()
    w.propose([-900, 900, *[0] * 6])
    bad, same = netting_evidence(w, 0), w.opening().content
    w.do(ARBITER, "veto", same)
    w.do(OPERATOR, "commitSlot", *same[1])
    for first, why in ((0, "was taken back"), (1, "other part")):
        with refused(f"settlement: {why}"):
            w.do(OPERATOR, "propose", w.period, first, w.words)
    with refused("settlement: was taken back"):
        w.do(OPERATOR, "retract", same)
    w.judge("challengeNetting", *bad)
    assert w.read("bond") == BOND - PENALTY


def test_an_honest_retraction_costs_nothing(w):
    w.book.trade(0, 1, 100)
    w.commit()
    w.propose()
    known = netting_evidence(w, 0)
    leaf = w.opening().content, w.shown(0)
    w.do(OPERATOR, "retract", known[0])
    for function, arguments in (("challengeNetting", known), ("challengeLeaf", leaf)):
        with refused("disputes: no fraud shown"):
            w.judge(function, *arguments)
    w.now += WINDOW
    with refused("disputes: nothing proposed"):
        w.judge("challengeNetting", *known)


def test_a_retraction_is_forgotten_after_its_window(w):
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={1: replace(tree.leaf(1), index=2)}))
    w.propose()
    bad, shown = w.opening().content, w.shown(1)
    w.do(OPERATOR, "retract", bad)
    w.now += WINDOW
    with refused("settlement: window closed"):
        w.judge("challengeLeaf", bad, shown)
    assert not w.read("isContestable", bad)


# -- a netting that was begun ends, and a netting is stopped by nobody who leaves


def ready_to_leave(w: World, member: int, amount: int = 2**255) -> None:
    """A member asked long ago and may be paid at once."""
    w.do(w.members[member], "requestWithdrawal", amount)
    w.now += NOTICE


def test_a_standing_withdrawal_does_not_stop_a_netting(w):
    """It waits until the netting is proposed, and takes what the netting needs."""
    ready_to_leave(w, 0)
    w.period, w.book = w.now // PERIOD + 1, Book(8)
    w.new_period()
    w.book.trade(0, 1, 400)
    w.commit()
    w.propose()
    w.do(w.members[0], "withdraw")
    assert w.wallet(w.members[0]) == WALLET - 1_000 + 600
    w.after_window()
    w.do(w.members[0], "withdraw")  # the rest of the request stands, and there is nothing for it
    w.finalise()
    assert w.balances()[:2] == [0, 1_400]
    assert w.read("requests", w.members[0].address)[0] == 2**255 - 600
    assert w.solvent()


def test_who_took_its_money_before_the_proposal_is_paid_in_for(w):
    """The operator accepted orders of a member that could leave: it answers for it, and the netting goes on."""
    ready_to_leave(w, 0)
    w.period, w.book = w.now // PERIOD + 1, Book(8)
    w.new_period()
    w.book.trade(0, 1, 400)
    w.commit()
    w.do(w.members[0], "withdraw")
    with refused("settlement: overdraft or lane overflow"):
        w.propose()
    w.client.send(ON_RAMP, w.token, "mint", OPERATOR.address, 400)
    w.do(OPERATOR, "depositFor", w.members[0].address, 400)
    w.propose()
    w.finalise()
    assert w.balances()[:2] == [0, 1_400]


def test_the_notice_is_long_enough_to_propose_what_was_traded_before(w):
    """Asked for in the moment after an order was accepted, for the last gate before a period."""
    rules = (w.token.address, DEPTH, SLOT, SLOTS, WINDOW, NOTICE - 1, SILENCE, PENALTY, ARBITER.address, LEAD, NOBODY)
    w.client.deploy(OWNER, "settlement", *rules)
    with refused("settlement: notice too short"):
        w.mine()
    w.now = (FIRST + 1) * PERIOD - (LEAD + 1) * SLOT
    w.do(w.members[0], "requestWithdrawal", 1_000)
    w.period += 1
    w.new_period()
    w.book.trade(0, 1, 1_000)
    w.commit()
    w.now = (w.period + 1) * PERIOD + WINDOW - 1
    with refused("settlement: notice running"):
        w.do(w.members[0], "withdraw")
    w.propose()
    w.now += WINDOW
    w.do(w.members[0], "withdraw")
    w.finalise()
    assert w.balances()[:2] == [0, 2_000]


def test_a_deposit_does_not_stop_a_netting(w):
    """A full lane has no room for the credit."""
    w.book.trade(0, 1, 400)
    w.commit()
    w.propose()
    with refused("settlement: bad amount"):
        w.do(w.members[1], "deposit", MAX_PAID_IN - 1_000)
    w.do(w.members[1], "deposit", MAX_PAID_IN - 1_400)
    w.finalise()
    assert w.balances()[:2] == [600, MAX_PAID_IN]


def test_a_full_lane_does_not_stop_a_netting(w):
    """A member pays in all that it may before a netting that credits it is proposed."""
    w.book.trade(0, 1, 400)
    w.commit()
    with refused("settlement: bad amount"):
        w.do(w.members[1], "deposit", MAX_BALANCE - 1_000)
    w.do(w.members[1], "deposit", MAX_PAID_IN - 1_000)
    w.propose()
    w.finalise()
    assert w.balances()[:2] == [600, MAX_PAID_IN + 400]


def test_nothing_credited_leaves_before_the_last_part(w):
    """The seller's word is applied, the buyer's is not."""
    w.book.trade(7, 0, 400)
    w.commit()
    ready_to_leave(w, 0)
    w.propose()
    w.after_window()
    w.do(STRANGER, "finalise", 1)
    assert w.balances()[0] == 1_400
    assert w.read("balanceOf", w.members[0].address) == 1_000  # not settled yet
    w.do(w.members[0], "withdraw")
    assert w.wallet(w.members[0]) == WALLET
    assert not w.read("isFinal", w.opening().content)
    w.do(w.members[7], "finalise", 1)
    assert w.read("isFinal", w.opening().content)
    w.do(w.members[0], "withdraw")
    assert w.wallet(w.members[0]) == WALLET + 400
    assert w.solvent()


def test_nobody_stops_a_netting_that_is_being_paid(w):
    """Neither judge nor arbiter nor operator nor a silence nor a pause: anybody ends it."""
    w.book.trade(0, 7, 400)
    tree = w.book.tree(w.slot)
    w.commit(Forged(tree, leaves={1: replace(tree.leaf(1), index=2)}))
    w.propose([-300, *[0] * 6, 300])
    w.after_window()
    w.do(STRANGER, "finalise", 1)
    opening = w.opening().content
    assert not w.read("isContestable", opening)
    for sender, function, reason in ((OPERATOR, "retract", "period closed"), (ARBITER, "veto", "window closed")):
        with refused(f"settlement: {reason}"):
            w.do(sender, function, opening)
    with refused("disputes: nothing proposed"):
        w.challenge(0)
    with refused("settlement: period closed"):
        w.judge("challengeLeaf", opening, w.shown(1))
    with refused("settlement: already proposed"):
        w.do(OPERATOR, "propose", w.period, 0, w.words)
    with refused("settlement: period proposed"):
        w.do(OPERATOR, "commitSlot", w.slot, ZERO, ZERO, 0, 0)
    w.now += SILENCE + PERIOD
    with refused("settlement: netting under way"):
        w.do(STRANGER, "declareSilence")
    w.do(ARBITER, "setPaused", ON)
    w.do(STRANGER, "finalise", 1)
    assert w.read("settledPeriod") == w.period
    w.do(STRANGER, "declareSilence")
    assert w.solvent()


def test_a_proposal_that_is_never_whole_holds_nobody_for_ever(w):
    """The operator proposes a member's debit and leaves the rest out, so that no window ever ends."""
    ready_to_leave(w, 0)
    w.period, w.book = w.now // PERIOD + 1, Book(8)
    w.new_period()
    for false, stop in ((0, "veto"), (50, "challenge")):
        w.book.trade(0, 7, 900)
        w.commit()
        w.end()
        w.now += WINDOW  # the second time the commitments are the very same that were taken back
        w.do(OPERATOR, "propose", w.period, 0, encode_nets([-900 - false, 0, 0, 0]))
        assert w.read("parts") == [w.period, 2, 1, 0]
        assert not w.read("isPending")
        assert w.read("proposal") == [0, 0]
        w.now += 10 * WINDOW
        if stop == "challenge":
            w.challenge(0)
            convicted(w)
        else:
            w.do(ARBITER, "veto", w.opening().content)
            w.back()
            w.new_period()
        assert w.read("parts") == [0, 0, 0, 0]
    w.do(w.members[0], "withdraw")
    assert w.wallet(w.members[0]) == WALLET


def test_net_amounts_that_were_taken_back_keep_their_place(w):
    """Two are taken back within a window; a third one waits, so that the evidence against the first stays."""
    w.book.trade(0, 1, 100)
    evidence_of = []
    for false in (70, 60):
        w.commit()
        w.propose([-100 - false, 100 + false, *[0] * 6])
        evidence_of.append(netting_evidence(w, 0))
        w.do(OPERATOR, "retract", w.opening().content)
        w.back()
    w.commit(certificates=b"c" * 32)
    with refused("settlement: window open"):
        w.propose([-100, 100, *[0] * 6])
    for bad in evidence_of:
        w.judge("challengeNetting", *bad)
    assert w.read("bond") == BOND - 2 * PENALTY
    w.now += WINDOW
    w.propose([-100, 100, *[0] * 6])
    w.finalise()
    assert w.solvent()


# -- limits count from the next open gate


def test_a_limit_spares_orders_whose_gate_has_closed(w):
    """A member lowers its limit a second before the period in which its accepted orders are delivered."""
    w.commit()
    w.now = (FIRST + 1) * PERIOD - 2
    w.do(w.members[0], "setLimit", 0)
    w.propose()
    w.finalise()
    w.book.trade(0, 1, 100)
    w.commit()
    w.propose()
    with refused("disputes: no fraud shown"):
        w.challenge(0)
    w.finalise()
    w.book.trade(0, 1, 1)
    w.commit()
    w.propose()
    w.challenge(0)
    convicted(w)


def test_a_second_change_of_a_limit_does_not_reach_back(w):
    """One change waits for the next period; another one may replace it, but not come between."""
    w.do(w.members[0], "setLimit", 100)
    w.do(w.members[0], "setLimit", 50)  # for the same period
    w.now = FIRST * PERIOD + 3 * SLOT
    with refused("settlement: last change still open"):
        w.do(w.members[0], "setLimit", 2**256 - 1)
    assert [w.read("limitIn", 0, FIRST + k) for k in range(3)] == [0, 51, 51]


def test_a_limit_does_not_reach_back_to_a_period_that_is_not_committed_yet(w):
    """The operator is late, nothing is open, and the period is over: it keeps the limit that its orders passed."""
    w.now = FIRST * PERIOD
    w.do(w.members[0], "setLimit", 100)
    w.now = (FIRST + 1) * PERIOD + 1
    before = w.read("limitIn", 0, FIRST)
    with refused("settlement: last change still open"):
        w.do(w.members[0], "setLimit", 50)
    assert w.read("limitIn", 0, FIRST) == before
    w.now = (FIRST + 1) * PERIOD + w.read("silence")  # nobody has to wait for an operator for ever
    w.do(w.members[0], "setLimit", 50)


def test_an_operator_does_not_come_back(w):
    """Else the receipts that its key signed in its first term would count no more."""
    w.do(OWNER, "offerOperator", CANDIDATE.address)
    w.do(CANDIDATE, "acceptOperator")
    w.do(OWNER, "offerOperator", OPERATOR.address)
    with refused("settlement: had its term"):
        w.do(OPERATOR, "acceptOperator")


# -- bound to what was signed last, and open to who asks


def signed_orders(w: World, *orders: Order) -> list[SignedOrder]:
    return [sign_order(order, bytes(w.members[order.account].key), w.domain) for order in orders]


def test_a_trade_follows_the_newest_order(w):
    """The member replaced its order by a smaller one; the operator puts the old one last, and trades beyond."""
    newer, older = signed_orders(w, Order(0, w.slot, 1, ((200, 1),), ()), Order(0, w.slot, 0, ((200, 9),), ()))
    fills = Fills(((200, 9),), ())
    w.book.add(0, 2, 9)
    w.book.add(1, 3, 9)
    w.book.fills[0], w.book.orders[0] = fills.hash, orders_hash([newer, older])
    w.commit()
    opening, shown, entries = w.opening().content, w.shown(0), evidence.entries([newer, older])
    assert disputes.outdated(w.tree.leaf(0), [newer, older]) == 0
    with refused("disputes: no fraud shown"):  # the older one covers it
        w.judge("challengeTrade", opening, shown, *evidence.trade([newer, older], fills))
    last = older.order.content
    for place, other, reason in (
        (1, older.order, "no fraud shown"),
        (1, newer.order, "other order"),
        (2, newer.order, "other order"),
    ):
        with refused(f"disputes: {reason}"):
            w.judge("challengeSerial", opening, shown, entries, last, place, other.content)
    with refused("disputes: other orders"):
        w.judge("challengeSerial", opening, shown, entries[:1], last, 0, newer.order.content)
    w.judge("challengeSerial", opening, shown, entries, last, 0, newer.order.content)
    convicted(w)


def test_an_order_of_another_slot_is_not_newer(w):
    old, mine = signed_orders(w, Order(0, w.slot + 1, 7, (), ()), Order(0, w.slot, 0, (), ()))
    w.book.orders[0] = orders_hash([old, mine])
    w.commit()
    entries = evidence.entries([old, mine])
    assert disputes.outdated(w.tree.leaf(0), [old, mine]) is None
    with refused("disputes: no fraud shown"):
        arguments = (entries, mine.order.content, 0, old.order.content)
        w.judge("challengeSerial", w.opening().content, w.shown(0), *arguments)


def test_hashes_without_content_are_convicted_on_demand(w):
    """Nobody can open what the leaf says of orders and trades, so that no challenge of them is possible."""
    w.book.orders[0], w.book.fills[0] = b"o" * 32, b"f" * 32
    w.book.add(0, 2, 9)
    w.book.add(1, 3, 9)
    w.commit()
    opening = w.opening().content
    with refused("demands: not the member"):
        w.demand("demand", opening, 0)
    w.demand("demand", opening, 0, sender=w.members[0])
    with refused("demands: answer awaited"):
        w.demand("demand", opening, 0, sender=w.members[0])
    with refused("demands: other orders"):
        w.demand("answer", opening, w.shown(0), *evidence.trade([], Fills()), sender=OPERATOR)
    with refused("demands: answer awaited"):
        w.demand("challengeSilence", opening, 0)
    with refused("demands: nothing demanded"):
        w.demand("challengeSilence", opening, 1)
    w.now += WINDOW // 4
    w.demand("challengeSilence", opening, 0)
    convicted(w)


def test_an_operator_that_answers_in_time_is_not_convicted(w):
    """Leaf, order, grant and trades are shown; so is an empty place; a demand that comes too late is none."""
    agent = Grant(0, AGENT.address, 300, 400, 10, (w.slot + 1) * SLOT)
    order = sign_order(Order(0, w.slot, 0, ((200, 9),), ()), bytes(AGENT.key), w.domain)
    order = replace(order, grant=agent, granted=sign_grant(agent, bytes(w.members[0].key), w.domain))
    fills = Fills(((200, 9),), ())
    w.book.add(0, 2, 9)
    w.book.add(1, 3, 9)
    w.book.fills[0], w.book.orders[0] = fills.hash, orders_hash([order])
    w.commit()
    opening, shown, content = w.opening().content, w.shown(0), evidence.trade([order], fills)
    with refused("demands: nothing demanded"):
        w.demand("answer", opening, shown, *content)
    w.demand("demand", opening, 0, sender=w.members[0])
    with refused("demands: other grant"):
        w.demand("answer", opening, shown, *content[:2], evidence.NO_GRANT.content, *content[3:])
    with refused("demands: other order"):
        w.demand("answer", opening, shown, content[0], evidence.NO_ORDER.content, *content[2:])
    with refused("demands: other fills"):
        w.demand("answer", opening, shown, *content[:3], [], [])
    w.demand("answer", opening, shown, *content, sender=OPERATOR)
    w.now += WINDOW
    with refused("demands: nothing demanded"):
        w.demand("challengeSilence", opening, 0)
    w.propose()
    w.demand("demand", opening, 0, sender=w.members[0])
    w.now = w.read("proposal")[1] - WINDOW // 2 + 1
    with refused("demands: too late to ask"):
        w.demand("demand", opening, 1, sender=w.members[1])
    w.demand("answer", opening, shown, *content, sender=OPERATOR)
    w.finalise()
    with refused("demands: other slot"):
        w.demand("demand", opening, 1, sender=w.members[1])
    assert w.read("bond") == BOND


# -- a permit that somebody used up, and offices that changed hands


def permit(w: World, member: Any, amount: int, nonce: int) -> tuple[Any, ...]:
    """Permit of a member for the settlement, as the currency takes it after the addresses."""
    deadline = w.now + 10_000
    parts = (signing.address_word(member.address), signing.address_word(w.c.address))
    numbers = b"".join(word(number) for number in (amount, nonce, deadline))
    content = keccak(keccak(PERMIT) + b"".join(parts) + numbers)
    domain = w.client.read(w.token, "DOMAIN_SEPARATOR")
    return amount, deadline, *split(signing.sign(signing.digest(domain, content), bytes(member.key)))


def test_a_permit_that_somebody_used_up_still_pays_in(w):
    """It pays in once: a member that allows the settlement more is not made to pay in again."""
    member = w.members[3]
    w.do(member, "approve", w.c.address, 0, contract=w.token)
    signed = permit(w, member, 70, 0)
    w.do(STRANGER, "permit", member.address, w.c.address, *signed, contract=w.token)
    w.do(STRANGER, "depositWithPermit", member.address, *signed)
    assert w.balances()[3] == 1_070
    w.do(member, "approve", w.c.address, 2**256 - 1, contract=w.token)
    again = permit(w, member, 30, 1)
    w.do(STRANGER, "depositWithPermit", member.address, *again)
    for used in (signed, again):
        with refused("settlement: bad permit"):
            w.do(STRANGER, "depositWithPermit", member.address, *used)
    other = permit(w, w.members[4], 30, 0)
    with refused("settlement: bad permit"):
        w.do(STRANGER, "depositWithPermit", member.address, *other)
    assert w.balances()[3] == 1_100


def test_receipts_count_by_who_was_operator_then(w):
    """A new operator does not void what the old one accepted; nor can the old one accept for later slots."""
    order = Order(0, w.slot, 0, ((200, 5),), ())
    later = replace(order, slot=w.slot + 1)
    old, late = (sign_receipt(one, bytes(OPERATOR.key), w.domain) for one in (order, later))
    w.do(OWNER, "offerOperator", CANDIDATE.address)
    w.now = w.slot * SLOT + 10
    w.do(CANDIDATE, "acceptOperator")
    w.do(OWNER, "offerOperator", OPERATOR.address)
    w.now = (w.slot + 1) * SLOT + 10
    made = Commitment(w.slot, w.book.tree(w.slot).root, ZERO, *totals_of(w), 0)
    w.do(CANDIDATE, "commitSlot", *made.content)
    opening, shown = (
        Opening(ZERO, made, ()),
        evidence.shown(0, w.book.tree(w.slot).leaf(0), w.book.tree(w.slot).proof(0)),
    )
    w.slot += 1
    following = Commitment(w.slot, w.book.tree(w.slot).root, ZERO, *totals_of(w), 0)
    w.now = (w.slot + 1) * SLOT
    w.do(CANDIDATE, "commitSlot", *following.content)
    second = Opening(opening.head, following, ())
    tree = w.book.tree(w.slot)
    shown_next = evidence.shown(0, tree.leaf(0), tree.proof(0))
    with refused("disputes: no receipt"):
        w.judge("challengeOmission", second.content, shown_next, [], later.hash, late.content)
    first = replace(opening, later=(following.hash,))
    w.judge("challengeOmission", first.content, shown, [], order.hash, old.content)
    assert w.read("bond") == BOND - PENALTY


def totals_of(w: World) -> tuple[int, int]:
    tree = w.book.tree(w.slot)
    return tree.money, tree.energy


def test_readings_count_by_who_was_gateway_then(w):
    """Open periods keep the readings that the gateway of their slots signed."""
    assert w.client.read(w.disputes, "wasGateway", GATEWAY.address, 0)
    w.judge("setGateway", STRANGER.address, sender=OWNER)
    since = w.now - 1
    for key, times in ((GATEWAY, (True, False)), (STRANGER, (False, True)), (OWNER, (False, False))):
        found = [w.client.read(w.disputes, "wasGateway", key.address, time) for time in (since - 1, since)]
        assert tuple(found) == times


def test_a_key_that_was_gateway_does_not_come_back(w):
    """With a second term, what it signed in the first would count no more: a fraud of then could not be shown."""
    since = w.now
    w.judge("setGateway", STRANGER.address, sender=OWNER)
    with refused("disputes: had its term"):
        w.judge("setGateway", GATEWAY.address, sender=OWNER)
    assert w.client.read(w.disputes, "wasGateway", GATEWAY.address, since - 1)
    for key in MEMBERS[10:12]:  # there may be none, again and again
        w.judge("setGateway", "0x" + "00" * 20, sender=OWNER)
        w.judge("setGateway", key.address, sender=OWNER)


# -- what nobody metered is judged by its rule, and a void session by its trades


def silent_seller(w: World, stated: int | None = None, **changes: Any) -> Leaf:
    """Commit a slot in which member 1 sold 10 Wh to member 0 and is said to be silent; what it would get is held."""
    for index, lane, amount in ((0, 0, 2_000), (0, 2, 10), (1, 3, 10), (7, 1, 2_000)):
        w.book.add(index, lane, amount)
    for lane in (1, 2):
        w.book.add(1, lane, 10, energy=True)
    w.book.marks[1] = int(LeafMark.SUBSTITUTED)
    leaf = replace(w.book.tree(w.slot).leaf(1), **changes)
    w.commit(Forged(w.book.tree(w.slot), leaves={1: leaf}) if changes else None, stated=stated)
    return leaf


def test_a_record_that_came_in_time_is_not_kept_out(w):
    """An operator settles a member as traded, although its meter told in time that it had sold more."""
    silent_seller(w)
    made = RecordReceipt((w.slot - 1) * SLOT, 1, w.slot * SLOT + SLOT // 30 - 1)
    received = split(made.sign(bytes(GATEWAY.key), w.client.chain_id))
    w.demand("challengeReceipt", w.opening().content, w.shown(1), made.time, received)
    convicted(w)


def test_a_receipt_of_later_convicts_nobody(w):
    silent_seller(w)
    made = RecordReceipt((w.slot - 1) * SLOT, 1, w.slot * SLOT + SLOT // 30)
    received = split(made.sign(bytes(GATEWAY.key), w.client.chain_id))
    with refused("demands: no fraud shown"):
        w.demand("challengeReceipt", w.opening().content, w.shown(1), made.time, received)


def test_nobody_is_paid_for_what_nobody_metered(w):
    """An operator lets a friend sell, and its meter be silent."""
    silent_seller(w, slot_money=MONEY.pack((0, 2_000, 0, 10)))
    w.judge("challengeLeaf", w.opening().content, w.shown(1))
    convicted(w)


def test_less_is_stated_as_substituted_than_leaves_have(w):
    """An operator bets that its own estimate of a day decides, and says that meters told it."""
    silent_seller(w, stated=9 << 64)
    w.demand("challengeStatement", w.opening().content, w.shown(1), w.opening().content)
    convicted(w)


def test_less_is_stated_as_substituted_than_before(w):
    """It takes back at the end of the day what it has stated; no meter was silent then, and anybody can show it."""
    silent_seller(w)
    w.commit(stated=0)
    w.demand("challengeStatement", w.opening().content, w.shown(2), w.opening(0).content)
    convicted(w)


def test_a_session_with_trades_is_not_void(w):
    """An operator marks the place of one member, whose accepted order it has left out."""
    w.book.trade(0, 1, 2_000, 10)
    w.book.marks[2] = int(LeafMark.VOID)
    w.commit()
    w.demand("challengeVoid", w.opening().content, w.shown(2), Opening(ZERO, w.chain[-1], ()).content)
    convicted(w)


# -- statements close before answers do; nobody reverses more than there was


@pytest.mark.parametrize("kind", ["balance_market", "trade_board"])
def test_a_meter_has_time_to_answer_a_statement(kind):
    """The operator states a reading of nothing in the last second of the window, and the honest producer pays."""
    w = MarketWorld.fresh(kind)
    slot = w.slot()
    w.do(w.members[0], "deposit", 10**12) if kind == "balance_market" else None
    if kind == "balance_market":
        w.do(OPERATOR, "fund", 10**12)
        w.do(OPERATOR, "openSlot", slot, 200_000, 80_000, 300_000, 6_000, 24_000)
        w.do(w.members[0], "produce", slot, 1, 1_000, 0)
    else:
        w.do(w.members[0], "addAvailableTrade", slot, 1_000, 150_000, 0)
        w.do(w.members[2], "buyEnergy", 0, 100, 100 * 150_000)
    ends = slot + SECONDS
    w.now = ends + CLOSES // 2
    with refused("metered: statements closed"):
        w.certify(slot, [(0, 0, 0)])
    w.now = ends + CLOSES - 1
    w.do(STRANGER, "certify", *w.signed(slot, 0, 1_000, 0))
    assert w.read("getReading", slot, 0) == [1_000, 0, 2]


def market_with_a_slot(*numbers: int) -> tuple[MarketWorld, int]:
    """A balance market with money of its own and of members 1 and 3, and a slot at these numbers."""
    w = MarketWorld.fresh("balance_market")
    slot = w.slot()
    for index in (1, 3):
        w.do(w.members[index], "deposit", 10**12)
    w.do(OPERATOR, "fund", 10**12)
    w.do(OPERATOR, "openSlot", slot, *numbers)
    return w, slot


def test_a_promise_at_the_cap_is_no_free_bet():
    """Its lock and its fine were nothing, so a producer without money took the price from the honest one."""
    w, slot = market_with_a_slot(250, 100, 400, 1_000, 8_000)
    w.do(w.members[3], "consume", slot, 4_000, 4_000, 2**255)
    with refused("balance_market: balance too low"):
        w.do(w.members[0], "produce", slot, 2_000, 2_000, 0)
    w.do(w.members[1], "produce", slot, 1_000, 1_000, 0)
    assert w.read("getPosition", slot, 1)[1] == 400 * 1_000
    w.do(w.members[0], "deposit", 2_000 * 300)
    w.do(w.members[0], "produce", slot, 2_000, 2_000, 0)
    w.until_settling(slot)
    w.do(STRANGER, "settle", slot, [0])
    assert tuple(w.read("getAccount", 0)) == (0, 0)


def test_a_promise_at_the_floor_is_no_free_bet():
    """It was refunded whole, and the honest consumer paid three times as much."""
    w, slot = market_with_a_slot(50, 20, 80, 1_000, 8_000)
    w.do(w.members[1], "produce", slot, 4_000, 4_000, 0)
    w.do(w.members[2], "deposit", 60 * 3_000 - 1)
    with refused("balance_market: balance too low"):
        w.do(w.members[2], "consume", slot, 3_000, 3_000, 2**255)
    w.do(w.members[3], "consume", slot, 1_000, 1_000, 2**255)
    assert w.read("getPosition", slot, 3)[1] == 20_000
    w.do(w.members[2], "deposit", 1)
    w.do(w.members[2], "consume", slot, 3_000, 3_000, 2**255)
    w.until_over(slot)
    w.certify(slot, [(2, 0, 0)])
    w.until_settling(slot)
    w.do(STRANGER, "settle", slot, [2])
    assert tuple(w.read("getAccount", 2)) == (0, 0)


def test_a_promise_is_not_taken_back_for_nothing_after_others_traded():
    """Cancelled in the last second, it would have lowered the price of those who came after it at no cost."""
    w, slot = market_with_a_slot(250, 100, 400, 1_000, 8_000)
    w.do(w.members[0], "deposit", 1_000 * 300)
    w.do(w.members[0], "produce", slot, 1_000, 1_000, 0)
    w.do(w.members[1], "produce", slot, 1_000, 1_000, 0)
    alone = w.read("getPosition", slot, 0)[1]  # what the other would have had
    lost = alone - w.read("getPosition", slot, 1)[1]
    w.do(w.members[0], "cancel", slot, 1_000)
    assert tuple(w.read("getAccount", 0)) == (1_000 * 300 - lost, 0)
    assert lost == 75_000


def test_an_auditor_reverses_no_more_than_was_issued(cw):
    """With one kilogram of its own it would empty the buffers of all other projects."""

    def do(function: str, *arguments: Any) -> None:
        cw.do(OWNER, function, *arguments, contract=cw.credits)

    do("issue", FOREST, 2024, b"a" * 32, 1_000, STRANGER.address)
    do("issue", PROJECT, 2024, b"b" * 32, 10, STRANGER.address)
    with refused("carbon_credits: more than was issued"):
        do("reverse", 1, 999_999_999, [0])
    do("reverse", 1, 6, [0])  # two of its own part of the buffer, four of the forest's
    with refused("carbon_credits: more than was issued"):
        do("reverse", 1, 5, [0])
    do("reverse", 1, 4, [0])
    assert [cw.client.read(cw.credits, "batches", number)[3] for number in (0, 1)] == [192, 0]


# -- one that cannot be served does not stop the others


def test_a_settled_position_does_not_stop_the_others():
    """Somebody settles one member in front of a batch that names it: each batch would have to be sent again."""
    w, slot = market_with_a_slot(200_000, 80_000, 300_000, 6_000, 24_000)
    w.do(w.members[0], "deposit", 10**12)
    for index in (0, 1):
        w.do(w.members[index], "produce", slot, 1, 1_000, 0)
    w.until_over(slot)
    w.certify(slot, [(0, 1_000, 0), (1, 1_000, 0)])
    w.until_settling(slot)
    w.do(w.members[1], "settle", slot, [1])
    w.do(STRANGER, "settle", slot, [1, 3, 0])
    found = [event_of(w.c, log) for log in w.client.logs(w.c, w.client.height)]
    assert [values["index"] for name, values in found if name == "SettlementSkipped"] == [1, 3]
    assert [w.read("getPosition", slot, index)[0] for index in (0, 1)] == [0, 0]
    assert [name for name, _ in found][-1] == "SlotClosed"


def test_a_settled_deal_does_not_stop_the_others():
    w = MarketWorld.fresh("trade_board")
    slot = w.slot()
    w.do(w.members[0], "addAvailableTrade", slot, 1_000, 150_000, 0)
    for buyer in (2, 3):
        w.do(w.members[buyer], "buyEnergy", 0, 100, 100 * 150_000)
    w.until_settling(slot)
    w.do(w.members[2], "settle", 0, [2])
    w.do(STRANGER, "settle", 0, [2, 4, 3])
    found = [event_of(w.c, log) for log in w.client.logs(w.c, w.client.height)]
    assert [values["buyer"] for name, values in found if name == "SettlementSkipped"] == [2, 4]
    assert [w.read("credits", buyer) for buyer in (2, 3)] == [100 * 150_000] * 2


@pytest.mark.parametrize("kind", ["balance_market", "trade_board"])
def test_a_meter_that_was_faster_does_not_stop_the_others(kind):
    """A member brings its own reading in front of the operator's, and nobody else is read."""
    w = MarketWorld.fresh(kind)
    slot = w.slot()
    if kind == "balance_market":
        w, slot = market_with_a_slot(200_000, 80_000, 300_000, 6_000, 24_000)
        w.do(w.members[0], "deposit", 10**12)
        for index in (0, 1):
            w.do(w.members[index], "produce", slot, 1, 1_000, 0)
    else:
        for index in (0, 1):
            w.do(w.members[index], "addAvailableTrade", slot, 1_000, 150_000, 0)
            w.do(w.members[2], "buyEnergy", w.read("getNumAvailableTrades") - 1, 100, 100 * 150_000)
    w.until_over(slot)
    w.do(STRANGER, "certify", *w.signed(slot, 1, 900, 0))
    w.certify(slot, [(1, 0, 0), (0, 800, 0)])
    assert [w.read("getReading", slot, meter) for meter in (1, 0)] == [[900, 0, 2], [800, 0, 1]]
    found = [event_of(w.c, log) for log in w.client.logs(w.c, w.client.height)]
    assert ("ReadingSkipped", {"slot": slot, "meter": 1}) in found


# -- a lost key is replaced, and nobody's money moves sooner than it can leave


def replaced(w: World, index: int, to: Any) -> None:
    """The registrar announces a new key; it takes the place over in the registry after the delay."""
    w.do(REGISTRAR, "startRecovery", index, to.address, contract=w.registry)
    w.now = w.client.head_timestamp + RECOVERY
    w.do(to, "finishRecovery", index, contract=w.registry)


def test_a_registrar_moves_no_money_that_can_leave(kept):
    """It replaces keys that are not lost: who asks for its money at once has it before, who says no keeps its place."""
    w, (asks, says_no) = kept, kept.members[:2]
    for index in (0, 1):
        w.do(REGISTRAR, "startRecovery", index, (CANDIDATE, STRANGER)[index].address, contract=w.registry)
    ready = w.client.head_timestamp + RECOVERY
    w.do(asks, "requestWithdrawal", 2**255)
    w.do(says_no, "stopRecovery", 1, contract=w.registry)
    for index, why in ((0, "nothing to follow"), (1, "nothing to follow")):
        with refused(f"settlement: {why}"):
            w.do(STRANGER, "follow", index)
    w.now = w.client.head_timestamp + NOTICE
    w.do(asks, "withdraw")
    assert w.wallet(asks) == WALLET
    w.now = ready
    w.do(CANDIDATE, "finishRecovery", 0, contract=w.registry)
    with refused("registry: not the candidate"):
        w.do(STRANGER, "finishRecovery", 1, contract=w.registry)
    w.do(STRANGER, "follow", 0)
    assert w.read("balanceOf", CANDIDATE.address) == 0
    assert w.read("balanceOf", says_no.address) == 1_000
    assert w.solvent()


def test_a_recovery_is_no_sooner_than_money_can_leave(kept):
    w = kept
    rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, ARBITER.address, LEAD)
    quick = w.client.deploy(OWNER, "registry", RECOVERY - 1)
    w.mine()
    w.client.deploy(OWNER, "settlement", w.token.address, *rules, quick.address)
    with refused("settlement: recovery too soon"):
        w.mine()


def test_what_was_requested_before_goes_to_the_old_account(kept):
    """Asked for late: the place waits until the notice is over, and until no net amounts are proposed."""
    w, member = kept, kept.members[0]
    w.do(REGISTRAR, "startRecovery", 0, CANDIDATE.address, contract=w.registry)
    ready = w.client.head_timestamp + RECOVERY
    w.now = ready - SLOT
    w.do(member, "requestWithdrawal", 700)
    notice = w.client.head_timestamp + NOTICE
    w.now = ready
    w.do(CANDIDATE, "finishRecovery", 0, contract=w.registry)
    with refused("settlement: notice running"):
        w.do(CANDIDATE, "follow", 0)
    w.period, w.book = w.now // PERIOD, Book(8)
    w.new_period()
    w.slot = w.period * SLOTS + SLOTS - 1
    w.book.trade(0, 1, 100)
    w.commit()
    w.now = max(w.now, notice)
    w.propose()
    with refused("settlement: netting under way"):
        w.do(CANDIDATE, "follow", 0)
    w.finalise()
    w.do(CANDIDATE, "follow", 0)
    assert (w.wallet(member), w.read("balanceOf", CANDIDATE.address)) == (WALLET - 1_000 + 700, 200)
    with refused("settlement: not a member"):
        w.do(member, "requestWithdrawal", 200)
    assert w.solvent()


def test_an_order_of_a_lost_key_convicts_nobody(kept):
    """Signed and accepted before its place went to another key: for slots whose gate may have closed by then."""
    w, key = kept, kept.members[0]
    replaced(w, 0, CANDIDATE)
    first = w.now // SLOT + 1
    for slot in (first + LEAD, first + LEAD + 1):
        if slot // SLOTS != w.period:
            w.period, w.book = slot // SLOTS, Book(8)
            w.new_period()
        w.slot = slot
        accepted = [sign_order(Order(0, slot, 1, ((150, 9),), ()), bytes(key.key), w.domain)]
        fills = Fills(((150, 5),), ())
        w.book.trade(0, 1, 750, 5)
        w.book.orders[0], w.book.fills[0] = orders_hash(accepted), fills.hash
        if slot == first + LEAD:
            w.do(STRANGER, "follow", 0)
            assert w.client.head_timestamp // SLOT + 1 == first
        w.commit()
        arguments = w.opening().content, w.shown(0), *evidence.trade(accepted, fills)
        if slot == first + LEAD:
            with refused("disputes: no fraud shown"):
                w.judge("challengeTrade", *arguments)
        else:
            w.judge("challengeTrade", *arguments)
            convicted(w)


def test_a_place_goes_to_nobody_who_has_one(kept):
    """A key may come back to its own place, and takes no other one along."""
    w, key = kept, kept.members[0]
    replaced(w, 0, CANDIDATE)
    w.do(REGISTRAR, "startRecovery", 1, key.address, contract=w.registry)
    w.do(STRANGER, "follow", 0)
    w.now = w.client.head_timestamp + RECOVERY
    w.do(key, "finishRecovery", 1, contract=w.registry)
    with refused("settlement: already a member"):
        w.do(STRANGER, "follow", 1)
    replaced(w, 1, w.members[1])
    with refused("settlement: nothing to follow"):
        w.do(STRANGER, "follow", 1)
    replaced(w, 0, key)
    w.do(STRANGER, "follow", 0)
    assert [w.read("accountOf", i) for i in (0, 1)] == [key.address, w.members[1].address]
    assert w.read("balanceOf", key.address) == 1_000


def test_members_come_from_the_registry_alone(kept):
    w = kept
    with refused("settlement: not in the registry"):
        w.do(OPERATOR, "register", STRANGER.address)
    w.do(REGISTRAR, "register", STRANGER.address, 0, contract=w.registry)
    w.do(REGISTRAR, "suspend", 8, contract=w.registry)
    w.do(OPERATOR, "register", STRANGER.address)
    w.do(OPERATOR, "depositFor", STRANGER.address, 50)
    w.do(STRANGER, "requestWithdrawal", 50)
    w.now += NOTICE
    w.do(STRANGER, "withdraw")  # a suspension stops nobody who leaves
    assert w.solvent()
