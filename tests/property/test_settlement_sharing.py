"""Sharing by keys: exact to the Wh, nobody beyond what it takes, and the supplier and the network get their due."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Traded, positions_of, traded_slots
from transactive.core.postings import PostingKind
from transactive.core.tariff import NearFee, OwnPrices, Tariff
from transactive.core.units import PPM
from transactive.settlement.neighbourhood import near_wh
from transactive.settlement.shared_postings import part_of, post_shared, used_and_given
from transactive.settlement.sharing import Circle, allot, delivery_of, registers, share_out

KEYS = st.lists(st.sampled_from(["static", "rounds", "dynamic", "equal", "order"]), min_size=1, max_size=3)
WH = st.integers(0, 10**6)


@st.composite
def shares(draw: st.DrawFn, members: int) -> list[int]:
    """Shares [ppm] of a million at most in all."""
    cuts = sorted(draw(st.lists(st.integers(0, PPM), min_size=members, max_size=members)))
    return [high - low for low, high in zip([0, *cuts], cuts, strict=False)]


@st.composite
def slots(draw: st.DrawFn) -> tuple[int, list[int], list[str], list[int]]:
    taken = draw(st.lists(WH, min_size=1, max_size=6))
    return draw(WH), taken, draw(KEYS), draw(shares(len(taken)))


@given(slots())
def test_nobody_is_allotted_more_than_it_takes_nor_all_more_than_is_given(slot):
    given_wh, taken, keys, ppm = slot
    used = allot(given_wh, np.array(taken, np.int64), keys, np.array(ppm, np.int64))
    assert (used >= 0).all()
    assert (used <= taken).all()
    assert used.sum() <= given_wh
    if keys[-1] not in ("static", "rounds"):
        assert used.sum() == min(given_wh, sum(taken))


@given(slots())
def test_each_key_is_within_a_wh_of_its_formula(slot):
    given_wh, taken, _, ppm = slot
    need, share_ppm = np.array(taken, np.int64), np.array(ppm, np.int64)
    fixed = allot(given_wh, need, ["static"], share_ppm).tolist()
    for used, n, share in zip(fixed, taken, ppm, strict=True):
        assert used == n or abs(used * PPM - given_wh * share) <= 2 * PPM
    by_use = allot(given_wh, need, ["dynamic"], share_ppm).tolist()
    for used, n in zip(by_use, taken, strict=True):
        assert used == n or abs(used * sum(taken) - min(given_wh, sum(taken)) * n) < sum(taken)
    alike = allot(given_wh, need, ["equal"], share_ppm).tolist()
    open_parts = [used for used, n in zip(alike, taken, strict=True) if used < n]
    assert max(open_parts, default=0) - min(open_parts, default=0) <= len(taken)
    assert all(used <= max(open_parts, default=used) + len(taken) for used in alike)


@given(slots(), st.integers(2, 9))
def test_who_takes_twice_as_much_of_a_dynamic_key_gets_twice_as_much(slot, factor):
    """Exactly so where the division leaves no remainder."""
    _, taken, _, ppm = slot
    need = np.array(taken, np.int64) * factor
    assert allot(sum(taken), need, ["dynamic"], np.array(ppm, np.int64)).tolist() == taken


def test_the_worked_example():
    """A plant gives 1,000 Wh; three take 600, 900 and 1,500 Wh; agreed are 50, 30 and 20 %."""
    need, agreed = np.array([600, 900, 1_500], np.int64), np.array([500_000, 300_000, 200_000], np.int64)
    assert allot(1_000, need, ["dynamic"], agreed).tolist() == [200, 300, 500]
    assert allot(1_000, need, ["static"], agreed).tolist() == [500, 300, 200]
    assert allot(2_000, need, ["static"], agreed).tolist() == [600, 600, 400]  # 400 of the first are left
    assert allot(2_000, need, ["static", "dynamic"], agreed).tolist() == [600, 686, 714]
    assert allot(1_000, need, ["equal"], agreed).tolist() == [334, 333, 333]
    assert allot(2_100, need, ["equal"], agreed).tolist() == [600, 750, 750]


def test_shares_in_rounds_leave_nothing_that_a_holder_could_use():
    """The first cannot use its 1,000; in rounds the others get it by their shares, 3 : 2, up to what they take."""
    need, agreed = np.array([600, 900, 1_500], np.int64), np.array([500_000, 300_000, 200_000], np.int64)
    assert allot(2_000, need, ["rounds"], agreed).tolist() == [600, 840, 560]
    assert allot(2_500, need, ["rounds"], agreed).tolist() == [600, 900, 1_000]
    assert allot(1_000, need, ["order"], agreed).tolist() == [600, 400, 0]


@st.composite
def circles(draw: st.DrawFn, members: int) -> list[Circle]:
    """Circles of any members and parts of meters, the last of all."""
    found = []
    for number in range(draw(st.integers(0, 3))):
        parts = draw(st.lists(st.sampled_from([0, 0, 250_000, PPM]), min_size=members, max_size=members))
        price, fee = draw(st.integers(-10_000, 300_000)), draw(st.sampled_from([0, 400_000, PPM]))
        ppm = np.where(np.array(parts) > 0, draw(shares(members)), 0)
        found.append(Circle(f"circle {number}", draw(KEYS), np.array(parts, np.int64), ppm, price, fee))
    whole = np.full(members, PPM, np.int64)
    return [*found, Circle("all", draw(KEYS), whole, np.array(draw(shares(members)), np.int64), 120_000)]


@given(traded_slots(), st.data())
def test_circles_share_each_wh_once_and_only_inside(slot: Traded, data):
    rings = data.draw(circles(slot.accounts.members))
    shared = share_out(slot.readings, rings)
    taken, gave = registers(slot.readings)
    assert (shared.used_wh.sum(axis=0) <= taken).all()
    assert (shared.given_wh.sum(axis=0) <= gave).all()
    assert (shared.used_wh.sum(axis=1) == shared.given_wh.sum(axis=1)).all()
    for circle, used, given_wh in zip(rings, shared.used_wh, shared.given_wh, strict=True):
        assert (used * PPM <= taken * circle.part_ppm).all()
        assert (given_wh * PPM <= gave * circle.part_ppm).all()


@given(traded_slots(), st.data())
def test_money_of_sharing_sums_to_zero_and_follows_the_meters(slot: Traded, data):
    accounts = slot.accounts
    rings = data.draw(circles(accounts.members))
    untraded = positions_of(slot.positions.slot, 0, [0] * accounts.members, [0] * accounts.members)
    tariff = Tariff(slot.tariff.supply, slot.tariff.feed_in, slot.tariff.fee, shared=0)
    shared = share_out(slot.readings, rings)
    used, gave = shared.used_wh.sum(axis=0), shared.given_wh.sum(axis=0)
    postings = post_shared(delivery_of(untraded, slot.readings, used, gave), shared, tariff, accounts)
    net, taken, given_ = postings.net_n(accounts.total), slot.readings.import_wh, slot.readings.export_wh
    bills = (taken - used) * tariff.supply - (given_ - gave) * tariff.feed_in
    for circle, u, g in zip(rings, shared.used_wh, shared.given_wh, strict=True):
        bills = bills + u * (circle.price + part_of(tariff.fee, circle.fee_ppm)) - g * circle.price
    assert net[: accounts.members].tolist() == (-bills).tolist()
    assert net[accounts.community] == net[accounts.pool] == net[accounts.escrow] == net.sum() == 0
    assert not (set(postings.kind.tolist()) & {PostingKind.BOUGHT, PostingKind.EXTRA_INSIDE, PostingKind.GIVE_INSIDE})
    read = used_and_given(postings, accounts.members)
    assert [column.tolist() for column in read] == [used.tolist(), gave.tolist()]


@given(traded_slots(), st.data())
def test_who_shares_at_prices_of_its_own_pays_them_and_the_lower_fee_for_what_is_near(slot: Traded, data):
    accounts, members = slot.accounts, slot.accounts.members
    prices = [data.draw(st.lists(st.integers(0, 400_000), min_size=members, max_size=members)) for _ in range(3)]
    own = OwnPrices(*(np.array(each, np.int64) for each in prices))
    place = np.array(data.draw(st.lists(st.integers(-1, 1), min_size=members, max_size=members)), np.int64)
    near = NearFee(data.draw(st.integers(0, 40_000)), place)
    rings = data.draw(circles(members))
    untraded = positions_of(slot.positions.slot, 0, [0] * members, [0] * members)
    tariff = Tariff(slot.tariff.supply, slot.tariff.feed_in, slot.tariff.fee, shared=0, own=own, near=near)
    shared = share_out(slot.readings, rings)
    used, gave = shared.used_wh.sum(axis=0), shared.given_wh.sum(axis=0)
    postings = post_shared(delivery_of(untraded, slot.readings, used, gave), shared, tariff, accounts)
    net = postings.net_n(accounts.total)
    bills = (slot.readings.import_wh - used) * own.supply - (slot.readings.export_wh - gave) * own.feed_in
    for circle, u, g in zip(rings, shared.used_wh, shared.given_wh, strict=True):
        fee, close = part_of(own.fee, circle.fee_ppm), near_wh(u, g, near)
        bills = bills + u * (circle.price + fee) - g * circle.price - close * np.maximum(fee - near.fee, 0)
        for number in (0, 1):
            here = place == number
            assert close[here].sum() == min(u[here].sum(), g[here].sum())
        assert not close[place < 0].any()
    assert net[:members].tolist() == (-bills).tolist()
    assert net[accounts.pool] == net[accounts.escrow] == net.sum() == 0


@given(traded_slots(), st.data())
def test_the_surplus_of_fixed_shares_is_sold_for_their_holders(slot: Traded, data):
    members, accounts = slot.accounts.members, slot.accounts
    ppm = np.array(data.draw(shares(members)), np.int64)
    ring = Circle("all", ["static"], np.full(members, PPM, np.int64), ppm, 0)
    untraded = positions_of(slot.positions.slot, 0, [0] * members, [0] * members)
    tariff = Tariff(slot.tariff.supply, slot.tariff.feed_in, slot.tariff.fee, shared=0)
    alone, held = share_out(slot.readings, [ring]), share_out(slot.readings, [ring], to_holders=True)
    delivery = delivery_of(untraded, slot.readings, held.used_wh[0], held.given_wh[0])
    nets = [post_shared(delivery, each, tariff, accounts).net_n(accounts.total) for each in (alone, held)]
    moved = (nets[1] - nets[0])[:members]
    given_ = int(registers(slot.readings)[1].sum())
    assert (held.surplus_wh >= 0).all()
    assert (held.used_wh[0] + held.surplus_wh).sum() == given_ * int(ppm.sum()) // PPM
    assert moved.sum() == 0
    sellers = registers(slot.readings)[1] > 0
    assert (moved[~sellers] == held.surplus_wh[~sellers] * tariff.feed_in).all()


@given(traded_slots(), st.data())
def test_holders_get_what_producers_sold_their_surplus_for_at_prices_of_their_own(slot: Traded, data):
    members, accounts = slot.accounts.members, slot.accounts
    ppm = np.array(data.draw(shares(members)), np.int64)
    paid = st.integers(-50_000, 200_000).filter(bool)  # what costs nothing is not said
    price = np.array(data.draw(st.lists(paid, min_size=members, max_size=members)), np.int64)
    ring = Circle("all", ["static"], np.full(members, PPM, np.int64), ppm, 0)
    untraded = positions_of(slot.positions.slot, 0, [0] * members, [0] * members)
    alike = np.full(members, 1, np.int64)
    own = OwnPrices(alike * slot.tariff.supply, price, alike * slot.tariff.fee)
    tariff = Tariff(slot.tariff.supply, slot.tariff.feed_in, slot.tariff.fee, shared=0, own=own)
    alone, held = share_out(slot.readings, [ring]), share_out(slot.readings, [ring], to_holders=True)
    delivery = delivery_of(untraded, slot.readings, held.used_wh[0], held.given_wh[0])
    postings = post_shared(delivery, held, tariff, accounts)
    net, before = (each.net_n(accounts.total) for each in (postings, post_shared(delivery, alone, tariff, accounts)))
    assert net.sum() == net[accounts.pool] == 0
    assert (net[members:] == before[members:]).all()
    passed = postings.only(PostingKind.SURPLUS)
    given_, taken = np.zeros(members, np.int64), np.zeros(members, np.int64)
    for payer, payee, energy, at in zip(passed.payer, passed.payee, passed.energy_wh, passed.price, strict=True):
        holder, producer = (payee, payer) if at >= 0 else (payer, payee)  # below zero the holder pays
        if holder < members:
            taken[holder] += energy
        else:
            given_[producer] += energy
            assert at == price[producer]
    assert (taken == held.surplus_wh).all()
    assert given_.sum() == taken.sum()


@given(traded_slots(), st.integers(0, PPM), st.integers(0, 150_000))
def test_an_incentive_comes_on_top_of_the_tariff_of_every_meter(slot: Traded, part, whole):
    accounts, members = slot.accounts, slot.accounts.members
    ring = Circle("all", ["dynamic"], np.full(members, PPM, np.int64), np.zeros(members, np.int64), 0)
    untraded = positions_of(slot.positions.slot, 0, [0] * members, [0] * members)
    tariff = Tariff(slot.tariff.supply, slot.tariff.feed_in, slot.tariff.fee, shared=0)
    shared = share_out(slot.readings, [ring])
    used, gave = shared.used_wh[0], shared.given_wh[0]
    parts = (whole * part // PPM, 0, whole - whole * part // PPM)
    delivery = delivery_of(untraded, slot.readings, used, gave, billed=False)
    net = post_shared(delivery, shared, tariff, accounts, parts).net_n(accounts.total)
    alone = slot.readings.export_wh * tariff.feed_in - slot.readings.import_wh * tariff.supply
    assert net[:members].tolist() == (alone + gave * parts[0]).tolist()
    assert net[accounts.community] == int(used.sum()) * parts[2]
    assert net[accounts.network] == net.sum() == 0
