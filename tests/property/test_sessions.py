"""Sessions for the same slot: nothing is sold twice, and settlement settles the sum at each trade's own price."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import SLOT, tariffs, whole
from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind, Postings
from transactive.core.slots import MarketClock
from transactive.core.tables import Clearing, Orders, Readings
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.trades.positions import Positions
from transactive.core.units import IntArray
from transactive.engine.sessions import Timetable
from transactive.market.mechanisms import Cleared, join
from transactive.settlement.netted import deliver, post, tariff_alone_n
from transactive.trading.curves import curve_orders, remaining_orders


def wh_by_side(orders: Orders, given: IntArray, members: int) -> IntArray:
    """Bought − sold per member [Wh]."""
    net = np.zeros(members, np.int64)
    np.add.at(net, orders.member, np.where(orders.is_buy, given, -given))
    return net


@given(st.integers(0, 2**32), tariffs(), st.integers(1, 5))
def test_no_device_is_sold_twice_whatever_part_of_the_orders_trades(seed: int, tariff: Tariff, members: int) -> None:
    random = np.random.default_rng(seed)
    grid = PriceGrid.of(tariff, int(random.integers(1, 20_000)))
    most_export = random.integers(0, 60, members)
    held, needed = np.zeros(members, np.int64), np.zeros(members, np.int64)
    for _ in range(4):  # as many sessions as one likes
        samples = random.integers(-100, 100, (int(random.integers(1, 6)), members))
        orders = remaining_orders(SLOT, samples, most_export, held, tariff, grid)
        part = random.choice([0, 1, 1])
        given = random.integers(0, orders.energy_wh + 1) if part else orders.energy_wh
        needed = np.maximum(needed, samples.max(axis=0))
        held = held + wh_by_side(orders, given, members)
        assert (held >= -most_export).all()
        assert (held <= needed).all()


@given(st.integers(0, 2**32), tariffs())
def test_who_holds_the_best_position_orders_nothing_but_its_alternatives(seed: int, tariff: Tariff) -> None:
    """With one sample there is nothing left to wish once it is traded."""
    random = np.random.default_rng(seed)
    grid = PriceGrid.of(tariff, 100)
    sample, most_export = random.integers(-100, 100, (1, 3)), random.integers(0, 60, 3)
    held = np.maximum(sample[0], -most_export)
    assert not len(remaining_orders(SLOT, sample, most_export, held, tariff, grid))
    nothing = np.zeros(3, np.int64)
    first = curve_orders(SLOT, sample, most_export, tariff, grid)
    assert remaining_orders(SLOT, sample, most_export, nothing, tariff, grid).digest() == first.digest()


@dataclass(frozen=True)
class Several:
    """Two clearings of a slot, each at a price, and its meters."""

    first: Cleared
    second: Cleared
    readings: Readings
    tariff: Tariff


def cleared(price: int, bought: IntArray, sold: IntArray) -> Cleared:
    """A clearing whose orders are the members' positions, buys first."""
    positions = Positions.at_one_price(SLOT, price, bought, sold)
    given, signed = np.concatenate((bought, sold)), np.concatenate((-bought, sold))
    return Cleared(Clearing(SLOT, price, int(bought.sum()), given, bought, sold), positions, signed * price)


@st.composite
def several(draw: st.DrawFn) -> Several:
    tariff, members = draw(tariffs()), draw(st.integers(1, 6))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    most = draw(st.sampled_from((1, 3, 50, 10**6)))

    def session() -> Cleared:
        bought, left = random.integers(0, most + 1, members), 0
        left = int(bought.sum())
        sold = random.multinomial(left, np.full(members, 1 / members)).astype(np.int64)
        return cleared(int(random.integers(tariff.feed_in, tariff.grid_cost + 1)), bought, sold)

    imported, exported = random.integers(0, 2 * most, members), random.integers(0, 2 * most, members)
    nothing = np.zeros(members, np.int64)
    return Several(session(), session(), Readings(SLOT, imported, exported, exported, nothing, nothing), tariff)


def without_forfeits_n(postings: Postings, accounts: Accounts) -> IntArray:
    """Received − paid by members but for forfeits, the only line whose amount is not linear in prices of trades."""
    net = postings.net_n(accounts.total)[: accounts.members]
    forfeits = postings.kind == PostingKind.FORFEIT
    np.add.at(net, postings.payer[forfeits], postings.amount_n[forfeits])
    return net


@given(several())
def test_the_sum_of_sessions_is_the_position_and_every_trade_is_paid_at_its_price(case: Several) -> None:
    members = len(case.readings.import_wh)
    accounts, joined = Accounts(members), join(case.first, case.second)
    positions = joined.positions
    net = sum(part.positions.bought_wh - part.positions.sold_wh for part in (case.first, case.second))
    assert (positions.bought_wh - positions.sold_wh).tolist() == np.asarray(net).tolist()
    assert not (np.minimum(positions.bought_wh, positions.sold_wh)).any()
    assert joined.clearing.traded_wh == int(np.maximum(net, 0).sum())
    delivery = deliver(positions, case.readings)
    postings = post(delivery, positions, case.tariff, accounts)  # checks supplier, network, escrow and the sum
    got = without_forfeits_n(postings, accounts)
    trades = np.zeros(members, np.int64)
    for part in (case.first, case.second):
        trades += part.clearing.price * (part.positions.sold_wh - part.positions.bought_wh)
    unpriced = Positions.at_one_price(SLOT, 0, positions.bought_wh, positions.sold_wh)
    rest = without_forfeits_n(post(delivery, unpriced, case.tariff, accounts), accounts)
    assert got.tolist() == (trades + rest).tolist()
    together = int(got.sum()) + int(postings.net_n(accounts.total)[accounts.community])
    assert together >= int(tariff_alone_n(case.readings, case.tariff).sum())
    again = int(postings.energy_wh[postings.kind == PostingKind.TRADED_AGAIN].sum())
    gross = sum(int(part.positions.bought_wh.sum()) for part in (case.first, case.second))
    assert (again == gross - joined.clearing.traded_wh) or not case.first.clearing.price * case.second.clearing.price


def test_bought_yesterday_and_sold_today_by_hand() -> None:
    """B buys 10 Wh at 150 from A, then sells 4 of them to C at 170; A gives 9, B takes 6, C takes 5."""
    first = cleared(150, whole(0, 10, 0), whole(10, 0, 0))
    second = cleared(170, whole(0, 0, 4), whole(0, 4, 0))
    positions = join(first, second).positions
    assert (positions.bought_wh.tolist(), positions.sold_wh.tolist()) == ([0, 6, 4], [10, 0, 0])
    nothing = whole(0, 0, 0)
    meters = Readings(SLOT, whole(0, 6, 5), whole(9, 0, 0), whole(9, 0, 0), nothing, nothing)
    tariff, accounts = Tariff(280, 80, 30), Accounts(3)
    postings = post(deliver(positions, meters), positions, tariff, accounts)
    again = postings.kind == PostingKind.TRADED_AGAIN
    assert (postings.energy_wh[again].tolist(), postings.price[again].tolist()) == ([4], [170])
    net = postings.net_n(accounts.total)
    assert net[:3].tolist() == [
        10 * 150 - 250,  # A: paid for 10, one of them replaced by the supplier at 280 − 30
        -10 * 150 + 4 * 170 - 6 * 30,  # B: both trades at their prices, the fee on what it took
        -4 * 170 - 280 - 4 * 30,  # C: its purchase, one Wh beyond it from the supplier
    ]
    assert int(net[accounts.supplier]) == 2 * 280


@given(
    st.sampled_from((15, 30, 60)), st.integers(0, 180), st.integers(0, 1440), st.integers(0, 200), st.integers(1, 300)
)
def test_every_slot_has_one_day_ahead_session_before_its_gate(
    minutes: int, gate: int, ahead: int, first: int, count: int
) -> None:
    length = minutes * 60
    clock = MarketClock(length, gate * 60, 1440 // minutes)
    slots = range(first * length, (first + count) * length, length)
    timetable = Timetable(clock, slots, -(-ahead // minutes))
    cleared_slots = [slot for own in timetable.day_ahead.values() for slot in own]
    assert cleared_slots == list(slots)
    for time, own in timetable.day_ahead.items():
        assert clock.gate(slots[0]) <= time <= clock.gate(own[0])
        assert {timetable.planned_at(slot) for slot in own} == {time}
    assert not Timetable(clock, slots, None).day_ahead
