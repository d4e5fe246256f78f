"""The ledger by example: what is free, who is out of the market, what is refused."""

import numpy as np
import pytest

from tests.strategies import positions_of, whole
from transactive.core.accounts import Accounts
from transactive.core.certificates import Certificates
from transactive.core.errors import RuleBroken, StateError
from transactive.core.postings import PostingKind, Postings
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills
from transactive.core.tables import Readings
from transactive.core.trades.positions import Positions
from transactive.settlement.funds import dividend, transfer
from transactive.settlement.ledger import Ledger, fills_of

A, B, SUPPLIER, NETWORK, COMMUNITY, LEVY = range(6)


@pytest.fixture
def ledger():
    ledger = Ledger(Accounts(2))
    ledger.deposit(whole(100, 50, 1_000, 0, 0, 0, 0))
    return ledger


def paid(payer, payee, amount, kind=PostingKind.BOUGHT):
    return Postings(0, *(whole(v) for v in (int(kind), payer, payee, 0, 0, amount)))


def enter(ledger, period, *postings):
    first, *more = postings
    for posting in more:
        first = first.and_then(posting)
    ledger.enter(period, positions_of(0, 0, [7, 0], [0, 7]), first)


def test_free_is_deposit_less_debits_less_locks_and_gains_wait_for_their_netting(ledger):
    ledger.lock(0, whole(10, 0))
    ledger.lock(3600, whole(5, 20))
    assert ledger.free_n(0).tolist() == [85, 30]
    enter(ledger, 0, paid(A, B, 30))
    assert ledger.free_n(0).tolist() == [55, 30]
    enter(ledger, 1, paid(A, SUPPLIER, 8))
    assert ledger.free_n(0).tolist() == [47, 30]
    ledger.unlock(0)
    assert ledger.free_n(0).tolist() == [57, 30]
    ledger.settle(0)
    assert ledger.balances_n.tolist() == [70, 80, 1_000, 0, 0, 0, 0]
    assert ledger.free_n(0).tolist() == [57, 60]
    assert ledger.available_n().tolist() == [62, 80, 1_000, 0, 0, 0, 0]


def test_a_limit_counts_debits_and_locks_of_its_own_period_alone():
    ledger = Ledger(Accounts(2), period_seconds=7200)
    ledger.deposit(whole(100, 50, 1_000, 0, 0, 0, 0))
    for slot, most in ((0, 40), (3600, 40), (7200, 60)):
        ledger.limit(slot, whole(most, 2**62))
    ledger.lock(0, whole(10, 5))
    assert [ledger.free_n(slot).tolist() for slot in (0, 3600, 7200)] == [[30, 45], [30, 45], [60, 45]]
    ledger.unlock(0)
    enter(ledger, 0, paid(A, B, 15))
    assert ledger.free_n(3600).tolist() == [25, 50]
    ledger.lock(7200, whole(60, 0))
    assert ledger.free_n(3600).tolist() == [25, 50]
    enter(ledger, 0, paid(B, A, 9))  # what the period brings gives no room: it counts when it is settled
    assert ledger.free_n(3600).tolist() == [25, 41]
    assert ledger.free_n(7200).tolist() == [0, 41]
    assert ledger.spendable_n(Postings.none(3600)).tolist() == [25, 41]


def test_a_later_lock_of_a_slot_replaces_the_earlier_one(ledger):
    ledger.lock(0, whole(100, 50))
    ledger.lock(0, whole(1, 2))
    assert ledger.free_n(0).tolist() == [99, 48]


def test_debits_and_credits_of_different_slots_are_not_netted_in_the_leaf(ledger):
    enter(ledger, 0, paid(A, B, 30))
    enter(ledger, 0, paid(B, A, 10))
    enter(ledger, 0, paid(A, B, 5), paid(B, A, 5))
    leaves = ledger.leaves(0, 5)
    assert leaves.slot == 5
    assert leaves.money.tolist() == [[30, 10, 21, 0], [10, 30, 0, 21], *[[0, 0, 0, 0]] * 5]
    assert leaves.slot_money.tolist() == [[0, 0, 7, 0], [0, 0, 0, 7], *[[0, 0, 0, 0]] * 5]
    assert leaves.fills[:2] == [Fills(((0, 7),), ()).hash, Fills((), ((0, 7),)).hash]
    assert leaves.fills[2:] == leaves.orders[2:] == [ZERO] * 5
    assert ledger.nets_n(0) == [-20, 20, 0, 0, 0, 0, 0]


def test_meters_certificates_and_orders_enter_the_leaf_of_their_slot(ledger):
    for _ in range(2):
        enter(ledger, 0, paid(A, B, 1))
        readings = Readings(0, *(whole(*column) for column in ((9, 1), (2, 30), (5, 20), (0, 3), (0, 14))))
        bundles = Certificates(
            0, *(whole(*c) for c in ((2, 2, 3), (0, 7, 0), (7, 13, 10), (0, 0, 0), (3, 3, 3), (1, 1, 1)))
        )
        ledger.record(0, readings, bundles, [b"a" * 32, b"b" * 32])
    leaves = ledger.leaves(0, 5)
    assert leaves.slot_energy.tolist()[:2] == [[9, 2, 5, 0], [1, 30, 34, 30]]
    assert leaves.energy.tolist() == [[18, 4, 10, 0], [2, 60, 68, 60], *[[0, 0, 0, 0]] * 5]
    assert leaves.orders == [b"a" * 32, b"b" * 32, *[ZERO] * 5]


def test_what_was_bought_at_several_prices_stands_dearest_first():
    positions = Positions.of(
        0, 2, whole(0, 0, 1, 1), np.array([True, True, False, False]), whole(3, 4, 5, 2), whole(10, 20, 8, 7)
    )
    assert fills_of(positions) == [Fills(((20, 4), (10, 3)), ()), Fills((), ((7, 2), (8, 5)))]


def test_top_ups_fill_whoever_is_below_and_nobody_else(ledger):
    assert ledger.top_ups_n(60, 200).tolist() == [0, 150, 0, 200, 200, 200, 200]
    enter(ledger, 0, paid(A, B, 41))  # credits of an open period do not count
    assert ledger.top_ups_n(60, 200).tolist() == [141, 150, 0, 200, 200, 200, 200]


def test_a_member_with_an_advance_is_out_until_it_deposits(ledger):
    enter(ledger, 0, paid(A, SUPPLIER, 120), paid(SUPPLIER, A, 20, PostingKind.ADVANCE))
    assert ledger.receivable_n.tolist() == [20, 0]
    ledger.settle(0)
    enter(ledger, 1, paid(B, A, 40))
    ledger.settle(1)
    assert ledger.funds_n(0).tolist() == [40, 10]
    assert ledger.free_n(0).tolist() == [0, 10]
    ledger.deposit(whole(0, 5, 0, 0, 0, 0, 0))
    assert ledger.free_n(0).tolist() == [0, 15]
    ledger.deposit(whole(1, 0, 0, 0, 0, 0, 0))
    assert ledger.free_n(0).tolist() == [41, 15]
    assert ledger.receivable_n.tolist() == [20, 0]


def test_an_overdraft_is_refused_and_nothing_is_booked(ledger):
    enter(ledger, 0, paid(NETWORK, A, 3))
    before = ledger.balances_n.tolist()
    with pytest.raises(StateError, match=r"account 3 lacks 0\.000000003"):
        ledger.settle(0)
    assert ledger.balances_n.tolist() == before
    ledger.deposit(whole(0, 0, 0, 3, 0, 0, 0))
    ledger.settle(0)
    assert ledger.balances_n.tolist() == [103, 50, 1_000, 0, 0, 0, 0]


def test_a_period_settles_once(ledger):
    enter(ledger, 0, paid(A, B, 1))
    ledger.settle(0)
    with pytest.raises(KeyError):
        ledger.settle(0)


def test_a_period_whose_money_passes_the_escrow_only_halfway_is_refused(ledger):
    enter(ledger, 0, paid(A, Accounts(2).escrow, 5))
    with pytest.raises(RuleBroken, match="sum to zero"):
        ledger.nets_n(0)


def test_nobody_withdraws_more_than_the_balance(ledger):
    ledger.withdraw(A, 100)
    assert ledger.balances_n[A] == 0
    with pytest.raises(RuleBroken, match="more than the balance"):
        ledger.withdraw(B, 51)


def test_the_community_account_pays_out_what_it_got(ledger):
    spread = paid(A, COMMUNITY, 7, PostingKind.SPREAD)
    assert ledger.undistributed_with(spread) == 7
    enter(ledger, 0, spread)
    payout = dividend(0, ledger.undistributed_n, Accounts(2))
    assert payout.amount_n.tolist() == [3, 3]
    enter(ledger, 0, payout)
    assert ledger.undistributed_n == 1


def test_a_community_account_that_owes_is_refused():
    with pytest.raises(RuleBroken, match="never owes"):
        dividend(0, -1, Accounts(2))


def test_transfers_of_nothing_leave_no_posting():
    postings = transfer(9, PostingKind.ADVANCE, SUPPLIER, np.arange(3), whole(0, 4, 0))
    assert (postings.slot, postings.payee.tolist(), postings.amount_n.tolist()) == (9, [1], [4])
    assert postings.payer.tolist() == [SUPPLIER]
