"""Sums over a run and what is said about them: every figure follows from the slots, and a broken book shows."""

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Traded, orders_table, positions_of, traded_slots, whole
from transactive.core.certificates import Certificates, Footprints
from transactive.core.postings import PostingKind, Postings
from transactive.core.slot_book import SlotBook
from transactive.core.tables import Baseline, Clearing, Readings
from transactive.core.tariff import Tariff
from transactive.insight.summarising import member_bills, summarise
from transactive.insight.summary import MemberBill
from transactive.insight.tally import Tally
from transactive.settlement.funds import advance, dividend
from transactive.settlement.netted import deliver, post, tariff_alone_n


def posted(slot: Traded):
    return post(deliver(slot.positions, slot.readings), slot.positions, slot.tariff, slot.accounts)


def count(tally: Tally, slot: Traded, postings: Postings, alone: Readings | None = None) -> Tally:
    members = slot.accounts.members
    orders = orders_table([0] * 3, [True] * 3, [0] * 3, [1] * 3)
    nothing = np.zeros(members, np.int64)
    footprints = Footprints(0, 10 * np.arange(members), 100 * np.arange(members), nothing, nothing, nothing, *[0] * 10)
    meters = alone or slot.readings
    book = SlotBook(
        orders=orders,
        clearing=Clearing(0, 0, 0, nothing, nothing, nothing),
        positions=slot.positions,
        readings=slot.readings,
        delivery=deliver(slot.positions, slot.readings),
        postings=postings,
        certificates=Certificates(0, *[np.zeros(0, np.int64)] * 6),
        footprints=footprints,
        levied=(nothing, nothing),
        tariff=slot.tariff,
        baseline=Baseline(0, meters.import_wh, meters.export_wh),
    )
    tally.add_energy(book)
    return tally


def summed(tally: Tally, bills: list[MemberBill]):
    return summarise(
        tally,
        bills,
        mechanism="uniform",
        levy="off",
        managed=None,
        chain=None,
        ledger_equals_chain=True,
        state_hash="ab",
        seconds=1.23456,
    )


def worked():
    """Two homes: one sells what the other uses, which takes 100 Wh more from the grid."""
    columns = (whole(0, 400), whole(300, 0), whole(500, 0), whole(0, 0), whole(0, 0))
    return Traded(positions_of(0, 150, [0, 300], [300, 0]), Readings(0, *columns), Tariff(280, 80, 30))


@given(st.lists(traded_slots(), min_size=1, max_size=4))
def test_sums_are_those_of_the_slots(slots):
    members = min(slot.accounts.members for slot in slots)
    slots = [slot for slot in slots if slot.accounts.members == members]
    tally = Tally.empty(members)
    paid, alone = np.zeros(members, np.int64), np.zeros(members, np.int64)
    for slot in slots:
        postings = posted(slot)
        count(tally, slot, postings)
        paid -= postings.net_n(slot.accounts.total)[:members]
        alone -= tariff_alone_n(slot.readings, slot.tariff)
    assert tally.with_market_n.tolist() == paid.tolist()
    assert tally.without_market_n.tolist() == alone.tolist()
    assert tally.bought_wh.tolist() == sum(slot.positions.bought_wh for slot in slots).tolist()
    assert tally.sold_wh.tolist() == sum(slot.positions.sold_wh for slot in slots).tolist()
    assert tally.consumption_wh.tolist() == sum(slot.readings.consumption_wh for slot in slots).tolist()
    assert tally.cheapest_supply == min(slot.tariff.supply for slot in slots)
    assert (tally.slots, tally.orders) == (len(slots), 3 * len(slots))
    assert tally.market_mg.tolist() == [100 * k * len(slots) for k in range(members)]
    assert (tally.energy_residual_wh, tally.money_residual_n) == (0, 0)
    nothing = np.zeros(members, np.int64)
    summary = summed(tally, member_bills(tally, [str(k) for k in range(members)], nothing, nothing))
    assert int(summary.bills.without_market_n) == alone.sum()
    assert int(summary.bills.with_market_n) == paid.sum()
    assert 0 <= summary.local_share <= 1
    assert 0 <= summary.self_sufficiency <= 1


def test_an_advance_is_still_owed_and_a_dividend_is_a_receipt():
    slot = worked()
    accounts = slot.accounts
    postings = posted(slot)
    delivery = deliver(slot.positions, slot.readings)
    bare = count(Tally.empty(2), slot, postings).with_market_n
    advanced = postings.and_then(advance(postings, delivery, slot.tariff, whole(0, 54_000), accounts))
    assert advanced.net_n(accounts.total)[1] == -54_000
    assert count(Tally.empty(2), slot, advanced).with_market_n.tolist() == bare.tolist()
    tally = count(Tally.empty(2), slot, advanced.and_then(dividend(0, 41, accounts)))
    assert tally.dividend_n.tolist() == [20, 20]
    assert tally.with_market_n.tolist() == (bare - 20).tolist()


@given(traded_slots(), st.data())
def test_a_lost_posting_shows_in_a_residual(slot, data):
    postings = posted(slot)
    kinds = (PostingKind.BOUGHT, PostingKind.SHORT_SUPPLIER, PostingKind.EXTRA_SUPPLIER, PostingKind.GIVE_SUPPLIER)
    rows = np.flatnonzero(np.isin(postings.kind, kinds) & (postings.amount_n > 0))
    if not len(rows):
        return
    lost = data.draw(st.sampled_from(rows.tolist()))
    columns = {f.name: np.delete(getattr(postings, f.name), lost) for f in fields(Postings) if f.name != "slot"}
    tally = count(Tally.empty(slot.accounts.members), slot, replace(postings, **columns))
    assert tally.energy_residual_wh or tally.money_residual_n


def test_energy_that_was_bought_and_not_sold_shows():
    slot = worked()
    bad = replace(slot, positions=positions_of(0, 150, [0, 300], [299, 0]))
    assert count(Tally.empty(2), bad, posted(slot)).energy_residual_wh == 1


def test_shares_of_the_worked_example():
    tally = count(Tally.empty(2), worked(), posted(worked()))
    summary = summed(tally, [])
    assert summary.local_share == 0.75  # 300 of 400 Wh came from the neighbour
    assert summary.self_sufficiency == 0.833333  # 100 of 600 Wh consumed came from the grid
    assert (summary.slots, summary.orders, summary.traded_wh) == (1, 3, 300)
    assert (summary.carbon.location_mg, summary.carbon.market_mg) == (10, 100)
    assert summary.seconds == 1.235


def test_shares_of_nothing_are_zero():
    tally = Tally.empty(1)
    assert (summed(tally, []).local_share, summed(tally, []).self_sufficiency) == (0, 0)


def test_charging_from_the_grid_never_makes_self_sufficiency_negative():
    tally = Tally.empty(1)
    columns = (whole(500), whole(0), whole(0), whole(400), whole(0))
    slot = Traded(positions_of(0, 80, [0], [0]), Readings(0, *columns), Tariff(280, 80, 30))
    assert summed(count(tally, slot, posted(slot)), []).self_sufficiency == 0


def test_bills_credit_what_the_batteries_hold_at_the_cheapest_supply_price():
    dear, cheap = worked(), replace(worked(), tariff=Tariff(200, 80, 30))
    tally = Tally.empty(2)
    baseline = Readings(0, whole(0, 600), whole(250, 0), whole(500, 0), whole(0, 0), whole(0, 0))
    for slot in (dear, cheap, dear):
        count(tally, slot, posted(slot), baseline)
    bills = member_bills(tally, ["sun", "shade"], whole(10, 0), whole(4, 2))
    assert [bill.id for bill in bills] == ["sun", "shade"]
    assert [bill.with_market_credit_n for bill in bills] == [2_000, 0]
    assert [bill.without_market_credit_n for bill in bills] == [800, 400]
    assert [bill.without_market_n for bill in bills] == [3 * -250 * 80, 600 * (280 + 200 + 280)]
    assert [bill.with_market_n for bill in bills] == tally.with_market_n.tolist()
    assert bills[0].saved_n == (-60_000 - 800) - (int(tally.with_market_n[0]) - 2_000)
    summary = summed(tally, bills)
    assert int(summary.bills.without_market_n) == -60_000 - 800 + 456_000 - 400
    assert int(summary.bills.with_market_n) == int(tally.with_market_n.sum()) - 2_000
    assert summary.members_worse_off == 0


@pytest.mark.parametrize(("saved", "worse"), [((0, 0, 0), 0), ((-1, 0, 5), 1), ((-1, -7, 5), 2)])
def test_worse_off_is_who_pays_more_even_by_one_unit(saved, worse):
    empty = {name: 0 for name in MemberBill.__struct_fields__ if name not in ("id", "with_market_n")}
    bills = [MemberBill(id=str(k), with_market_n=-s, **empty) for k, s in enumerate(saved)]
    summary = summed(Tally.empty(3), bills)
    assert summary.members_worse_off == worse
    assert int(summary.bills.with_market_n) == -sum(saved)


def test_money_is_text_so_that_no_reader_rounds_it():
    bill = SimpleNamespace(without_market_n=2**60 + 1, without_market_credit_n=0, saved_n=1)
    summary = summed(Tally.empty(1), [bill])  # type: ignore[list-item]
    assert summary.bills.without_market_n == "1152921504606846977"
    assert summary.bills.with_market_n == "1152921504606846976"
    assert summary.money_residual_n == "0"
