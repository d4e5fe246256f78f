"""The judge of deals, beside its twin: what binds the operator, what binds nobody, and who is shown to have cheated."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial

import pytest
from eth_utils.address import to_checksum_address

from tests.contract.deal_world import AHEAD, HIGHEST, LOWEST, MOST, PRICE, DealWorld
from tests.contract.test_disputes import convicted
from tests.contract.world import BOND, OPERATOR, OWNER, SLOT, STRANGER, reason_of, refused
from transactive.chain.disputes.deals import evidence as deal_evidence
from transactive.chain.disputes.deals.evidence import BindingDeal
from transactive.chain.twins import deals as twin
from transactive.core.errors import ContractRevert, SignatureError
from transactive.core.proofs.deals.allowances import member_commitment
from transactive.core.proofs.deals.deal import SignedDeal
from transactive.core.proofs.deals.deal_receipts import DealReceipt
from transactive.core.proofs.leaves import LeafMark
from transactive.core.proofs.signed_orders import Fills

BUYER, SELLER, OTHER, FOURTH = range(4)


@pytest.fixture
def w() -> DealWorld:
    return DealWorld.fresh(money=10**9)


def in_order(*deals: SignedDeal) -> list[SignedDeal]:
    return sorted(deals, key=lambda each: each.hash)


def show_beyond(w: DealWorld, index: int, *deals: SignedDeal, buys: bool = False, most: int = MOST) -> None:
    own = w.allowed(index, deals[0].bid.slot, most)
    w.act("showBeyond", own.content, buys, [deal_evidence.signed(each) for each in deals])
    w.twin.show_beyond(own.allowance, deals, w.client.head_timestamp, is_buyer=buys)


def show_twice(w: DealWorld, one: SignedDeal, two: SignedDeal) -> None:
    w.act("showTwice", deal_evidence.signed(one), deal_evidence.signed(two))
    w.twin.show_twice(one, two, w.client.head_timestamp)


def test_a_deal_that_is_settled_convicts_nobody(w):
    slot = w.coming
    deal = w.deal(BUYER, SELLER, slot)
    w.post(deal)
    fills = w.settle(deal)
    for index, partner in ((BUYER, SELLER), (SELLER, BUYER)):
        assert not twin.omitted(w.tree.leaf(index), fills[index], w.address(index, slot), [deal])
        for claim in (w.posted(deal, partner), w.receipted(deal)):
            with refused("deals: no fraud shown"):
                w.challenge_deals(index, claim)
    with refused("deals: no fraud shown"):
        w.challenge_deals(BUYER)


@pytest.mark.parametrize("index", [BUYER, SELLER])
@pytest.mark.parametrize("how", ["posted", "receipted"])
def test_a_deal_that_is_left_out_convicts(w, index, how):
    deal = w.deal(BUYER, SELLER, w.coming)
    if how == "posted":
        w.post(deal)
        claim = w.posted(deal, SELLER if index == BUYER else BUYER)
    else:
        claim = w.receipted(deal)
    fills = w.settle(deal, but=(deal,))
    leaf = w.tree.leaf(index)
    assert twin.omitted(leaf, fills.get(index, Fills()), w.address(index, deal.bid.slot), [deal])
    w.challenge_deals(index, claim)
    convicted(w)


def test_one_of_several_deals_is_missed_by_price_and_by_side(w):
    """The seller's leaf says 800 Wh instead of 1,300 Wh at one price, and all at another."""
    slot = w.coming
    deals = [
        w.deal(BUYER, SELLER, slot),
        w.deal(OTHER, SELLER, slot, 500),
        w.deal(BUYER, SELLER, slot, 90, price=130_000),
    ]
    for serial, deal in enumerate(deals):
        deals[serial] = w.deal(
            OTHER if serial == 1 else BUYER, SELLER, slot, deal.energy_wh, price=deal.bid.price, serial=serial
        )
    fills = w.settle(*deals, but=(deals[1],))
    key = w.address(SELLER, slot)
    assert twin.omitted(w.tree.leaf(SELLER), fills[SELLER], key, deals[:2])
    assert not twin.omitted(w.tree.leaf(SELLER), fills[SELLER], key, deals[2:])
    with refused("deals: no fraud shown"):
        w.challenge_deals(SELLER, w.receipted(deals[2]))
    with refused("deals: no fraud shown"):
        w.challenge_deals(SELLER, w.receipted(deals[0]))
    with refused("deals: operator never saw it"):  # the third was agreed at another price
        w.challenge_deals(SELLER, *map(w.receipted, deals))
    claims = [w.receipted(deal) for deal in in_order(*deals[:2])]
    with refused("deals: not in order"):
        w.challenge_deals(SELLER, claims[0], claims[0], unsorted=True)
    with refused("deals: not in order"):
        w.challenge_deals(SELLER, *claims[::-1], unsorted=True)
    with refused("deals: other fills"):
        w.challenge_deals(SELLER, *claims, fills=fills[BUYER])
    w.challenge_deals(SELLER, *claims)
    convicted(w)


def test_a_place_without_a_leaf_is_one_without_trades(w):
    slot = w.coming
    deal = w.deal(BUYER, SELLER, slot)
    fills = w.settle(deal, but=(deal,))
    assert fills == {}
    w.fills = {9: Fills(((PRICE, 5),))}
    allowed = replace(w.allowed(BUYER, slot).allowance, member=member_commitment(9, w.salt(BUYER, slot)))
    own = deal_evidence.SignedAllowance(allowed, allowed.sign(bytes(OPERATOR.key), w.domain))
    with refused("deals: other fills"):
        w.challenge_deals(9, w.receipted(deal), own=own, salt=w.salt(BUYER, slot))
    w.fills = {}
    assert twin.omitted(None, Fills(), w.address(BUYER, slot), [deal])
    w.challenge_deals(9, w.receipted(deal), own=own, salt=w.salt(BUYER, slot))
    convicted(w)


def test_without_post_and_receipt_there_is_no_case(w):
    """Two members cannot frame the operator with a deal that it never saw, nor with a receipt of somebody else."""
    deal = w.deal(BUYER, SELLER, w.coming)
    w.settle(deal, but=(deal,))
    for receipt in (bytes(65), w.receipt(deal, STRANGER), w.receipt(w.deal(BUYER, SELLER, deal.bid.slot, 799))):
        with refused("deals: operator never saw it"):
            w.challenge_deals(BUYER, BindingDeal(deal, receipt))
    assert w.read("bond") == BOND


def test_a_session_that_was_void_convicts_nobody(w):
    deal = w.deal(BUYER, SELLER, w.coming)
    w.book.marks[BUYER] = int(LeafMark.VOID)
    fills = w.settle(deal, but=(deal,))
    assert not twin.omitted(w.tree.leaf(BUYER), fills.get(BUYER, Fills()), w.address(BUYER, deal.bid.slot), [deal])
    with refused("deals: no fraud shown"):
        w.challenge_deals(BUYER, w.receipted(deal))


def test_only_the_operators_allowances_bind_it(w):
    """A partner without one, one that another signed, of another slot, of another key, or beyond its bounds."""
    slot = w.coming
    deal = w.deal(BUYER, SELLER, slot)
    w.post(deal)
    w.settle(deal, but=(deal,))
    for partner, reason in (
        (w.allowed(SELLER, slot, by=STRANGER), "deals: partner not allowed"),
        (deal_evidence.NOBODYS, "deals: partner not allowed"),
        (w.allowed(OTHER, slot), "deals: partner not allowed"),
        (
            replace(w.allowed(SELLER, slot), signature=w.allowed(SELLER, slot + 1).signature),
            "deals: partner not allowed",
        ),
        (w.allowed(SELLER, slot, 799), "deals: beyond the allowance"),
    ):
        with refused(reason):
            w.challenge_deals(BUYER, BindingDeal(deal, partner=partner))
    claim = w.posted(deal, SELLER)
    for own, reason in (
        (w.allowed(BUYER, slot, by=STRANGER), "deals: no allowance"),
        (w.allowed(BUYER, slot, 799), "deals: beyond the allowance"),
        (w.allowed(OTHER, slot), "deals: other member"),
    ):
        with refused(reason):
            w.challenge_deals(BUYER, claim, own=own)
    with refused("deals: other member"):
        w.challenge_deals(BUYER, claim, salt=w.salt(BUYER, slot + 1))
    with refused("deals: operator never saw it"):  # another key's
        w.challenge_deals(OTHER, claim)
    w.challenge_deals(BUYER, claim)
    convicted(w)


def test_a_deal_is_posted_in_time_once_and_with_both_signatures(w):
    slot = w.coming
    deal = w.deal(BUYER, SELLER, slot)
    bad = {
        "deals: not the buyer": w.deal(BUYER, SELLER, slot, signed_by=(OTHER, SELLER)),
        "deals: not the seller": w.deal(BUYER, SELLER, slot, signed_by=(BUYER, BUYER)),
        "deals: beyond the bid": w.deal(BUYER, SELLER, slot, most=799),
        "deals: price beyond the market": w.deal(BUYER, SELLER, slot, price=HIGHEST + 1),
    }
    for reason, one in bad.items():
        with refused(reason):
            w.act("post", deal_evidence.signed(one))
    for one in (w.deal(BUYER, SELLER, slot, 0, most=1), replace(deal, bid_signature=bytes(65))):
        with pytest.raises(ContractRevert):
            w.act("post", deal_evidence.signed(one))
        with pytest.raises(SignatureError):
            one.check(w.domain)
    with refused("deals: price beyond the market"):
        w.act("post", deal_evidence.signed(w.deal(BUYER, SELLER, slot, price=LOWEST - 1)))
    w.post(deal)
    for _ in range(2):
        with refused("deals: posted already"):
            w.post(deal)
    last = w.deal(OTHER, SELLER, slot, serial=1)
    w.now = slot * SLOT - AHEAD - 1
    w.post(last)
    late = w.deal(FOURTH, SELLER, slot, serial=2)
    w.now = slot * SLOT - AHEAD
    with refused("deals: too late"):
        w.post(late)
    with pytest.raises(ContractRevert, match="too late"):
        w.twin.post(late, w.client.head_timestamp)
    assert w.client.read(w.deals, "postedAt", deal.hash) == w.twin.posted[deal.hash]
    assert bytes(w.client.read(w.deals, "hashOf", deal_evidence.terms(deal))) == deal.hash


def test_two_awards_for_one_bid_void_the_later_and_name_the_seller(w):
    slot = w.coming
    first, second = w.deal(BUYER, SELLER, slot, 300, most=500), w.deal(BUYER, SELLER, slot, 400, most=500)
    assert twin.signed_twice(first, second) == w.address(SELLER, slot)
    w.post(first)
    w.post(second)
    show_twice(w, second, first)
    assert w.client.read(w.deals, "postedAt", second.hash) == 2**256 - 1
    assert w.client.read(w.deals, "postedAt", first.hash) == w.twin.posted[first.hash]
    seller = deal_evidence.terms(first)[3]
    assert w.client.read(w.deals, "cheatedAt", seller) == w.twin.cheated[seller.lower()]
    with refused("deals: void already"):
        show_twice(w, first, second)
    with refused("deals: posted already"):
        w.post(second)
    w.settle(first)
    with refused("deals: operator never saw it"):
        w.challenge_deals(BUYER, w.posted(second, SELLER))


def test_an_award_that_nobody_posted_cannot_be_posted_after_the_other(w):
    slot = w.coming
    first, second = w.deal(BUYER, SELLER, slot, 300, most=500), w.deal(BUYER, SELLER, slot, 400, most=500)
    w.post(first)
    show_twice(w, first, second)
    with refused("deals: posted already"):
        w.post(second)
    w.settle(first, but=(first,))
    w.challenge_deals(BUYER, w.posted(first, SELLER))
    convicted(w)


def test_two_bids_with_one_serial_name_the_buyer(w):
    slot = w.coming
    one, two = w.deal(BUYER, SELLER, slot), w.deal(BUYER, OTHER, slot, 100)
    assert twin.signed_twice(one, two) == w.address(BUYER, slot)
    show_twice(w, one, two)
    assert w.client.read(w.deals, "cheatedAt", deal_evidence.terms(one)[2]) == w.twin.cheated[one.bid.buyer]
    for other in (one, w.deal(BUYER, OTHER, slot, 100, serial=1), w.deal(OTHER, SELLER, slot)):
        assert twin.signed_twice(one, other) is None
        with refused("deals: nothing wrong"):
            show_twice(w, one, other)
    with refused("deals: nothing wrong"):
        show_twice(w, one, w.deal(BUYER, OTHER, slot + 1, 100))
    with refused("deals: not the seller"):
        show_twice(w, one, w.deal(BUYER, OTHER, slot, 100, signed_by=(BUYER, BUYER)))


def test_awards_beyond_the_allowance_void_what_was_posted_last(w):
    slot = w.coming
    early, late, more = (w.deal(who, SELLER, slot, wh) for who, wh in ((BUYER, 700), (OTHER, 600), (FOURTH, 100)))
    for deal in (early, late, more):
        w.post(deal)
    for deals, reason in (((late, early), "not in order"), ((early, early), "counted already")):
        with refused(f"deals: {reason}"):
            show_beyond(w, SELLER, *deals)
        with pytest.raises(ContractRevert, match=reason):
            w.twin.show_beyond(w.allowed(SELLER, slot).allowance, deals, w.now, is_buyer=False)
    with refused("deals: other key"):
        show_beyond(w, BUYER, early, late)
    with refused("deals: other slot"):
        show_beyond(w, SELLER, early, w.deal(OTHER, SELLER, slot + 1))
    with refused("deals: no such deal"):
        w.act("showBeyond", w.allowed(SELLER, slot).content, *[False], [])
    with refused("deals: no allowance"):
        own = w.allowed(SELLER, slot, by=STRANGER)
        w.act("showBeyond", own.content, *[False], [deal_evidence.signed(each) for each in (early, late)])
    show_beyond(w, SELLER, early)
    assert not w.twin.cheated
    show_beyond(w, SELLER, late, more)  # in as many calls as it takes
    assert w.twin.void == {late.hash}
    assert w.twin.cheated.keys() == {w.address(SELLER, slot)}
    w.settle(early, late, more, but=(late,))
    with refused("deals: operator never saw it"):
        w.challenge_deals(OTHER, w.posted(late, SELLER))
    assert w.read("bond") == BOND


def test_bids_beyond_the_allowance_are_the_buyers_fault(w):
    slot = w.coming
    deals = [w.deal(BUYER, SELLER, slot, 700), w.deal(BUYER, OTHER, slot, 600, serial=1)]
    w.post(deals[1])
    show_beyond(w, BUYER, *deals, buys=True)  # the first one was receipted
    assert w.twin.cheated.keys() == {w.address(BUYER, slot)}
    assert w.twin.void == {deals[1].hash}


def test_two_awards_for_one_bid_are_no_fault_of_its_buyer(w):
    slot = w.coming
    awards = [w.deal(BUYER, SELLER, slot, wh, most=700) for wh in (600, 700)]
    for deal in awards:
        w.post(deal)
    for deals in (awards, awards[::-1]):
        with refused("deals: counted already"):
            show_beyond(w, BUYER, *deals, buys=True)
    show_twice(w, *awards)
    show_beyond(w, BUYER, awards[0], buys=True)
    assert w.twin.cheated.keys() == {w.address(SELLER, slot)}


def test_nothing_is_void_that_nobody_posted_nor_after_the_slot(w):
    """A deal that only the receipt binds stays; and no excuse is made when the slot is over."""
    slot = w.coming
    one, two = w.deal(BUYER, SELLER, slot, 700), w.deal(OTHER, SELLER, slot, 600)
    with refused("deals: not posted"):
        show_beyond(w, SELLER, one, two)
    w.post(two)
    w.now = (slot + 1) * SLOT
    with refused("deals: too late"):
        show_beyond(w, SELLER, one, two)
    with pytest.raises(ContractRevert, match="too late"):
        w.twin.show_beyond(w.allowed(SELLER, slot).allowance, [one, two], (slot + 1) * SLOT, is_buyer=False)
    w.now = 0
    w.settle(one, two, but=(two,))
    w.challenge_deals(OTHER, w.posted(two, SELLER))
    convicted(w)


def test_posts_of_a_member_that_cheated_bind_nobody_for_some_time(w):
    slot = w.coming
    one, two = w.deal(BUYER, SELLER, slot), w.deal(BUYER, OTHER, slot, 100)
    own = w.allowed(BUYER, slot).content
    with refused("deals: nothing wrong"):
        w.act("bar", slot, own, BUYER, w.salt(BUYER, slot))
    show_twice(w, one, two)
    with refused("deals: other member"):
        w.act("bar", slot, own, SELLER, w.salt(BUYER, slot))
    with refused("deals: no allowance"):
        w.act("bar", slot, w.allowed(BUYER, slot, by=STRANGER).content, BUYER, w.salt(BUYER, slot))
    w.act("bar", slot, own, BUYER, w.salt(BUYER, slot))
    w.twin.bar(w.address(BUYER, slot), BUYER)
    with refused("deals: barred already"):
        w.act("bar", slot, own, BUYER, w.salt(BUYER, slot))
    assert w.client.read(w.deals, "barred", BUYER) == w.twin.barred[BUYER]
    later = w.deal(BUYER, SELLER, slot + 1)
    w.post(later)
    assert not w.twin.binds(later, BUYER)
    assert w.twin.binds(later, SELLER)
    w.settle(later, but=(later,))
    with refused("deals: operator never saw it"):
        w.challenge_deals(BUYER, w.posted(later, SELLER))
    w.challenge_deals(SELLER, w.posted(later, BUYER))  # the partner did nothing wrong
    convicted(w)


def test_a_receipt_is_of_one_deal_and_one_operator(w):
    deal = w.deal(BUYER, SELLER, w.coming)
    receipt = DealReceipt(deal.hash)
    receipt.check(w.receipt(deal), OPERATOR.address, w.domain)
    with pytest.raises(SignatureError, match="not the operator's"):
        receipt.check(w.receipt(deal, STRANGER), OPERATOR.address, w.domain)


def test_judges_are_named_once_and_convict_alone(w):
    for who, reason in ((OWNER, "judges: list is fixed"), (STRANGER, "judges: not the owner")):
        with refused(reason):
            w.do(who, "setJudges", [STRANGER.address], contract=w.judges)
    w.commit()
    with refused("judges: not a judge"):
        w.do(STRANGER, "convict", w.opening().content, STRANGER.address, contract=w.judges)
    new = w.client.deploy(OWNER, "judges", w.disputes.address)
    w.mine()
    for accounts in ([], [STRANGER.address] * 2, ["0x" + "00" * 20]):
        assert reason_of(lambda a=accounts: w.do(OWNER, "setJudges", a, contract=new)) in (
            "judges: list is fixed",
            "judges: each judge once",
        )
    listed = [to_checksum_address(each) for each in w.client.read(w.judges, "all")]
    assert listed == [w.demands.address, w.deals.address]
    assert w.client.read(w.judges, "getDisputes") == w.disputes.address
    assert w.client.read(w.deals, "getJudges") == w.judges.address


def test_a_demand_is_judged_by_way_of_the_list(w):
    w.commit()
    w.demand("demand", w.opening().content, BUYER, sender=w.members[BUYER])
    w.now = w.client.read(w.demands, "demands", BUYER)[1] + 1
    w.demand("challengeSilence", w.opening().content, BUYER)
    convicted(w)


@pytest.mark.parametrize("seed", range(3))
def test_contract_and_twin_agree_on_what_is_posted_shown_and_void(w, seed):
    """Calls at random on a few deals: same reasons, same record."""
    rng, slot = random.Random(seed), w.coming
    deals = [
        w.deal(
            rng.randrange(2), 2 + rng.randrange(2), slot, rng.choice((300, 400, 700)), most=700, serial=rng.randrange(2)
        )
        for _ in range(5)
    ]
    for _ in range(25):
        one, two = rng.choice(deals), rng.choice(deals)
        own, buys, some = w.allowed(rng.randrange(4), slot), rng.random() < 0.5, rng.choice(([one], [one, two]))
        now, signed = max(w.now, w.client.head_timestamp + 1), deal_evidence.signed
        on_chain, in_twin = {
            0: (partial(w.act, "post", signed(one)), partial(w.twin.post, one, now)),
            1: (partial(w.act, "showTwice", signed(one), signed(two)), partial(w.twin.show_twice, one, two, now)),
            2: (
                partial(w.act, "showBeyond", own.content, buys, list(map(signed, some))),
                partial(w.twin.show_beyond, own.allowance, some, now, is_buyer=buys),
            ),
        }[rng.randrange(3)]
        assert reason_of(on_chain) == reason_of(in_twin)
    for deal in deals:
        kept = w.twin.posted.get(deal.hash, 2**256 - 1 if deal.hash in w.twin.void else 0)
        assert w.client.read(w.deals, "postedAt", deal.hash) == kept
        for key in (deal.bid.buyer, deal.bid.seller):
            checksummed = deal_evidence.terms(deal)[2 if key == deal.bid.buyer else 3]
            assert w.client.read(w.deals, "cheatedAt", checksummed) == w.twin.cheated.get(key, 0)
