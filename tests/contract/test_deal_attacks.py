"""Attacks on deals: each ends without harm to who kept to its word; `tests/fuzz/mutants` puts faults back."""

from __future__ import annotations

import pytest

from tests.contract.deal_world import HIGHEST, LOWEST, MOST, PRICE, DealWorld
from tests.contract.test_disputes import convicted
from tests.contract.world import BOND, OPERATOR, OWNER, SLOT, STRANGER, refused
from transactive.chain.disputes import evidence
from transactive.chain.disputes.deals import evidence as deal_evidence
from transactive.chain.disputes.deals.evidence import BindingDeal
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.receipts import OrderReceipt
from transactive.core.proofs.signed_orders import Order, orders_hash, sign_order

BUYER, SELLER, PUPPET, FOURTH = range(4)


@pytest.fixture
def dw() -> DealWorld:
    return DealWorld.fresh(money=10**9)


def show_beyond(dw: DealWorld, index: int, *deals: SignedDeal, buys: bool) -> None:
    own = dw.allowed(index, deals[0].bid.slot)
    dw.act("showBeyond", own.content, buys, [deal_evidence.signed(each) for each in deals], sender=OPERATOR)


def test_a_deal_made_up_after_its_slot_convicts_nobody(dw):
    """Two members wait until the slot is committed, and sign a deal that the operator should have known."""
    slot = dw.coming
    settled = dw.deal(BUYER, SELLER, slot, 100)
    dw.settle(settled)
    made_up = dw.deal(BUYER, SELLER, slot, serial=1)
    with refused("deals: too late"):
        dw.act("post", deal_evidence.signed(made_up))
    with refused("deals: operator never saw it"):
        dw.challenge_deals(BUYER, dw.posted(made_up, SELLER))
    assert dw.read("bond") == BOND


def test_a_partner_that_nobody_let_in_convicts_nobody(dw):
    """A member deals with a key of its own that has no allowance: the operator could not know whose it is."""
    slot = dw.coming
    deal = dw.deal(BUYER, PUPPET, slot)
    dw.post(deal)
    dw.settle(deal, but=(deal,))
    for partner in (deal_evidence.NOBODYS, dw.allowed(PUPPET, slot, by=dw.members[BUYER])):
        with refused("deals: partner not allowed"):
            dw.challenge_deals(BUYER, BindingDeal(deal, partner=partner))
    assert dw.read("bond") == BOND


def test_deals_beyond_what_two_may_trade_frame_nobody(dw):
    """Many small deals: no call could show all of them, so they are counted in as many calls as it takes."""
    slot = dw.coming
    small = [dw.deal(BUYER, SELLER, slot, MOST // 20, serial=serial) for serial in range(22)]
    for deal in small:
        dw.post(deal)
    for at in range(0, len(small), 11):
        show_beyond(dw, BUYER, *small[at : at + 11], buys=True)
    dw.settle(*small, but=tuple(small[20:]))
    for deal in small[20:]:
        with refused("deals: operator never saw it"):
            dw.challenge_deals(BUYER, dw.posted(deal, SELLER))
    with refused("deals: no fraud shown"):
        dw.challenge_deals(SELLER, *(dw.posted(deal, BUYER) for deal in small[:16]))
    assert dw.read("bond") == BOND


def test_what_the_judges_of_deals_bind_the_judge_of_trades_allows(dw):
    """An order that covers the allowance at every price of the market covers whatever can be posted."""
    slot = dw.coming
    deals = [
        dw.deal(BUYER, SELLER, slot, 500, price=LOWEST),
        dw.deal(BUYER, SELLER, slot, 500, price=HIGHEST, serial=1),
    ]
    accepted = {}
    for index in (BUYER, SELLER):
        order = Order(index, slot, 0, ((HIGHEST, MOST),), ((LOWEST, MOST),))
        accepted[index] = [sign_order(order, bytes(dw.members[index].key), dw.domain)]
        dw.book.orders[index] = orders_hash(accepted[index])
    for deal in deals:
        dw.post(deal)
    fills = dw.settle(*deals)
    for index in (BUYER, SELLER):
        trade = evidence.trade(accepted[index], fills[index])
        with refused("disputes: no fraud shown"):
            dw.judge("challengeTrade", dw.opening().content, dw.shown(index), *trade)
    with refused("deals: price beyond the market"):
        dw.post(dw.deal(BUYER, SELLER, dw.coming, price=HIGHEST + 1))


def test_a_receipt_of_a_deal_is_none_of_an_order(dw):
    """A leaf has no order with the hash of a deal: as an order's, the receipt would show that one was left out."""
    deal = dw.deal(BUYER, SELLER, dw.coming)
    receipt = OrderReceipt(dw.receipt(deal))
    dw.settle(deal)
    with refused("disputes: no receipt"):
        dw.judge("challengeOmission", dw.opening().content, dw.shown(BUYER), [], deal.hash, receipt.content)
    assert dw.read("bond") == BOND


def test_a_second_award_leaves_the_buyer_alone(dw):
    """A seller signs two awards for one bid, and counts both to its buyer: whose other deal would be void."""
    slot = dw.coming
    honest = dw.deal(BUYER, FOURTH, slot, 300)
    awards = [dw.deal(BUYER, SELLER, slot, wh, most=700, serial=1) for wh in (400, 700)]
    for deal in (awards[0], awards[1], honest):
        dw.post(deal)
    with refused("deals: counted already"):
        show_beyond(dw, BUYER, awards[0], awards[1], honest, buys=True)
    show_beyond(dw, BUYER, awards[0], honest, buys=True)
    dw.settle(honest, awards[0], but=(honest,))
    dw.challenge_deals(BUYER, dw.posted(honest, FOURTH), dw.posted(awards[0], SELLER))
    convicted(dw)


def test_what_was_posted_first_is_not_void_by_what_comes_later(dw):
    """A seller and the operator sign a huge deal with a puppet, so that the honest buyer's would be beyond."""
    slot = dw.coming
    honest, huge = dw.deal(BUYER, SELLER, slot, 600), dw.deal(PUPPET, SELLER, slot, 900)
    dw.post(honest)
    dw.post(huge)
    with refused("deals: not in order"):
        show_beyond(dw, SELLER, huge, honest, buys=False)
    show_beyond(dw, SELLER, honest, huge, buys=False)
    dw.settle(honest, but=(honest,))
    dw.challenge_deals(BUYER, dw.posted(honest, SELLER))
    convicted(dw)


def test_an_excuse_after_the_slot_is_none(dw):
    """The operator left a deal out, and finds a seller that signs another one when the challenge comes."""
    slot = dw.coming
    deal, excuse = dw.deal(BUYER, SELLER, slot, 600), dw.deal(PUPPET, SELLER, slot, 900)
    dw.post(deal)
    dw.settle(deal, but=(deal,))
    with refused("deals: too late"):
        show_beyond(dw, SELLER, excuse, deal, buys=False)
    dw.challenge_deals(BUYER, dw.posted(deal, SELLER))
    convicted(dw)


def test_an_owner_cannot_add_a_judge(dw):
    """One of its own would convict an honest operator of anything."""
    with refused("judges: list is fixed"):
        dw.do(OWNER, "setJudges", [STRANGER.address], contract=dw.judges)
    dw.commit()
    with refused("judges: not a judge"):
        dw.do(STRANGER, "convict", dw.opening().content, STRANGER.address, contract=dw.judges)
    assert dw.read("bond") == BOND


def test_a_bid_that_is_replayed_counts_once(dw):
    """The same award twice, posted and receipted, in a slot where it was settled."""
    slot = dw.coming
    deal = dw.deal(BUYER, SELLER, slot)
    dw.post(deal)
    with refused("deals: posted already"):
        dw.act("post", deal_evidence.signed(deal))
    dw.settle(deal)
    with refused("deals: not in order"):
        dw.challenge_deals(BUYER, dw.posted(deal, SELLER), dw.receipted(deal))
    with refused("deals: no fraud shown"):
        dw.challenge_deals(BUYER, dw.receipted(deal))


def test_a_deal_of_another_slot_or_price_is_another_deal(dw):
    """Terms follow from slot, side and price of the challenge, so nothing else can be put beside them."""
    slot = dw.coming
    deal = dw.deal(BUYER, SELLER, slot)
    dw.post(deal)
    later = dw.deal(BUYER, SELLER, slot + 1, 10)
    dw.settle(later)
    dw.now = max(dw.now, (slot + 2) * SLOT)
    claim = dw.posted(deal, SELLER)
    with refused("deals: operator never saw it"):
        dw.challenge_deals(BUYER, claim)
    assert deal.bid.price == PRICE
    assert dw.read("bond") == BOND
