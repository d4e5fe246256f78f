"""Settlement of a slot: the theorems of the worked slot on random slots, and a plain twin."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import Traded, positions_of, traded_slots
from transactive.core.accounts import Accounts
from transactive.core.postings import PostingKind
from transactive.core.tables import Readings
from transactive.core.tariff import NearFee, OwnPrices, Tariff
from transactive.core.units import share
from transactive.settlement.funds import advance, dividend
from transactive.settlement.neighbourhood import near_use_wh
from transactive.settlement.netted import deliver, post, tariff_alone_n
from transactive.trading.escrow import locked_after_clearing


def settled(slot: Traded):
    """Delivery, postings and nets of a slot."""
    delivery = deliver(slot.positions, slot.readings)
    postings = post(delivery, slot.positions, slot.tariff, slot.accounts)
    return delivery, postings, postings.net_n(slot.accounts.total)


def settled_plainly(slot: Traded):
    """The same in plain Python, member by member: money of members, supplier, network and community, and local use."""
    t, held = slot.tariff, slot.positions
    grid_cost = t.supply - t.fee
    quarter = (grid_cost - t.feed_in) // 4
    needs_pay, gives_receive = grid_cost - quarter, t.feed_in + quarter
    bought, sold = slot.positions.bought_wh.tolist(), slot.positions.sold_wh.tolist()
    took, gave = slot.readings.import_wh.tolist(), slot.readings.export_wh.tolist()
    needs, gives, own = [], [], []
    for b, s, i, e in zip(bought, sold, took, gave, strict=True):
        both = min(max(i - b, 0), max(b - i, 0) + max(e - s, 0))
        needs += [max(s - e, 0), max(i - b, 0) - both]
        gives.append(max(b - i, 0) + max(e - s, 0) - both)
        own.append(both)
    inside = min(sum(needs), sum(gives))
    met, given_inside = share(inside, needs), share(inside, gives)
    members, local_use = [], []
    supplier = 0
    traded = [0] * len(bought)  # received − paid for trades
    columns = (column.tolist() for column in (held.member, held.is_buy, held.energy_wh, held.price))
    rows = list(zip(*columns, strict=True))
    for k, is_buy, wh, price in rows:
        traded[k] += -wh * price if is_buy else wh * price
    network = -sum(traded)  # congestion rent
    forfeited = 0
    for k, (b, _, i, _) in enumerate(zip(bought, sold, took, gave, strict=True)):
        short_met, extra_met = met[2 * k : 2 * k + 2]
        short_left, extra_left = needs[2 * k] - short_met, needs[2 * k + 1] - extra_met
        give_left = gives[k] - given_inside[k]
        use = min(b, i) + extra_met
        money = traded[k] - (short_met + extra_met) * needs_pay - short_left * grid_cost
        money += given_inside[k] * gives_receive + give_left * t.feed_in - extra_left * t.supply - use * t.fee
        money -= own[k] * (t.supply - t.feed_in)
        sales = sorted((p, wh) for m, buys, wh, p in rows if m == k and not buys)
        dearest = [p for p, wh in sales for _ in range(wh)][::-1][:short_met]
        forfeit = sum(max(p - needs_pay, 0) for p in dearest)
        money, forfeited = money - forfeit, forfeited + forfeit
        members.append(money)
        local_use.append(use)
        supplier += (short_left + extra_left) * t.supply - give_left * t.feed_in + own[k] * (t.supply - t.feed_in)
        network += (use - short_left) * t.fee
    return members, supplier, network, inside * (needs_pay - gives_receive) + forfeited, local_use


@given(traded_slots())
def test_money_is_that_of_the_plain_twin(slot):
    delivery, _, net = settled(slot)
    members, supplier, network, community, local_use = settled_plainly(slot)
    assert net.tolist() == [*members, supplier, network, community, 0, 0, 0, 0]
    assert delivery.local_use_wh.tolist() == local_use


@given(traded_slots())
def test_a_seller_that_delivers_nothing_pays_at_least_what_it_was_promised(slot):
    """Selling alone, with nothing taken and nothing given, brings no money at whatever price."""
    idle = slot.readings.import_wh + slot.readings.export_wh + slot.positions.bought_wh == 0
    assert (settled(slot)[2][: slot.accounts.members][idle] <= 0).all()


@given(traded_slots())
def test_postings_sum_to_zero_and_what_passes_through_is_empty_in_the_end(slot):
    _, postings, net = settled(slot)
    a = slot.accounts
    assert net.sum() == 0
    assert net[a.escrow] == net[a.pool] == net[a.levy] == 0
    assert (postings.amount_n >= 0).all()
    priced = postings.kind != PostingKind.CONGESTION_RENT
    assert (postings.amount_n == postings.energy_wh * np.abs(postings.price))[priced].all()
    assert (postings.energy_wh > 0)[priced].all()
    assert (postings.payer != postings.payee).all()
    assert postings.kind.tolist() == sorted(postings.kind.tolist())


@given(traded_slots())
def test_supplier_and_network_get_exactly_their_tariff(slot):
    delivery, _, net = settled(slot)
    own = int(delivery.both_ways_wh.sum())
    imports, exports = int(slot.readings.import_wh.sum()) - own, int(slot.readings.export_wh.sum()) - own
    tariff = slot.tariff
    grid = imports - exports
    due = grid * (tariff.supply if grid > 0 else tariff.feed_in)
    assert net[slot.accounts.supplier] == due + own * (tariff.supply - tariff.feed_in)
    rent = slot.positions.surplus_n
    assert rent >= 0
    assert net[slot.accounts.network] == tariff.fee * min(imports, exports) + rent
    assert net[slot.accounts.community] >= 0


@given(traded_slots())
def test_together_nobody_pays_more_than_without_a_market_but_for_congestion_rent(slot):
    _, _, net = settled(slot)
    members = slot.accounts.members
    alone = tariff_alone_n(slot.readings, slot.tariff)
    assert net[:members].sum() + net[slot.accounts.community] + slot.positions.surplus_n >= alone.sum()


@given(traded_slots())
def test_a_member_that_keeps_its_word_never_loses(slot):
    _, _, net = settled(slot)
    kept = (slot.readings.import_wh >= slot.positions.bought_wh) & (slot.readings.export_wh >= slot.positions.sold_wh)
    alone = tariff_alone_n(slot.readings, slot.tariff)
    assert (net[: slot.accounts.members] >= alone)[kept].all()


@given(traded_slots(), st.integers(1, 100_000))
def test_without_a_price_for_both_sides_everybody_deals_with_the_supplier(slot, above):
    nothing = [0] * slot.accounts.members
    untraded = positions_of(slot.positions.slot, 0, nothing, nothing)
    tariff = Tariff(slot.tariff.grid_cost + slot.tariff.fee, slot.tariff.grid_cost + above, slot.tariff.fee)
    delivery = deliver(untraded, slot.readings, tariff)
    net = post(delivery, untraded, tariff, slot.accounts).net_n(slot.accounts.total)
    assert net[: slot.accounts.members].tolist() == tariff_alone_n(slot.readings, tariff).tolist()
    assert net[slot.accounts.network] == net[slot.accounts.community] == 0


@given(traded_slots())
def test_a_seller_that_delivers_nothing_pays_at_least_the_price_of_a_need(slot):
    delivery, _, net = settled(slot)
    idle = (slot.readings.export_wh == 0) & (slot.readings.import_wh == 0) & (slot.positions.bought_wh == 0)
    held, most = slot.positions, -delivery.sold_wh * slot.tariff.needs_pay
    sells = ~held.is_buy
    np.add.at(most, held.member[sells], (held.energy_wh * held.price)[sells])
    assert (net[: slot.accounts.members] <= most)[idle].all()


@given(traded_slots())
def test_delivery_splits_every_deviation_once(slot):
    d = deliver(slot.positions, slot.readings)
    short, extra = d.short_inside_wh + d.short_supplier_wh, d.extra_inside_wh + d.extra_supplier_wh
    give = d.give_inside_wh + d.give_supplier_wh
    assert (d.imported_wh - d.bought_wh - d.exported_wh + d.sold_wh == short + extra - give).all()
    assert d.short_inside_wh.sum() + d.extra_inside_wh.sum() == d.give_inside_wh.sum()
    own = d.both_ways_wh
    assert (own <= np.minimum(d.imported_wh, d.exported_wh)).all()
    needs, gives = int(short.sum() + (extra - own).sum()), int((give - own).sum())
    assert d.give_inside_wh.sum() == min(needs, gives)  # the supplier meets one side only
    for name in ("short_inside", "short_supplier", "extra_inside", "extra_supplier", "give_inside", "give_supplier"):
        assert (getattr(d, f"{name}_wh") >= 0).all()
    assert (d.local_use_wh <= d.imported_wh).all()


@given(traded_slots())
def test_without_a_trade_the_community_still_shares_what_crosses_its_meters(slot):
    members = slot.accounts.members
    untraded = Traded(positions_of(0, slot.tariff.feed_in, [0] * members, [0] * members), slot.readings, slot.tariff)
    _, _, net = settled(untraded)
    assert (net[:members] >= tariff_alone_n(slot.readings, slot.tariff)).all()


def test_what_a_meter_counted_both_ways_is_the_tariffs_and_no_neighbours():
    """Half a kilowatt-hour in and out in one hour: 24 hours cost 24 x (0.5 x 0.28 - 0.5 x 0.08) = 2.40."""
    tariff = Tariff(280_000, 80_000, 30_000)
    both = np.array([500], np.int64)
    nothing = np.zeros(1, np.int64)
    slot = Traded(positions_of(0, 0, [0], [0]), Readings(0, both, both, both, nothing, nothing), tariff)
    delivery, _, net = settled(slot)
    assert 24 * net[0] == -2_400_000_000
    assert (delivery.both_ways_wh.tolist(), delivery.local_use_wh.tolist()) == ([500], [0])
    assert net[slot.accounts.community] == 0


# -- funds ----------------------------------------------------------------------------------------


@st.composite
def funded(draw):
    """A slot whose members have at least what they locked when it was cleared."""
    slot = draw(traded_slots())
    locks = locked_after_clearing(slot.positions, slot.tariff)
    spare = [draw(st.sampled_from((0, 0, 1, 10**6, 10**9, 10**13))) for _ in locks]
    return slot, locks + np.array(spare, np.int64)


@given(funded())
def test_no_order_costs_more_than_its_lock(case):
    slot, _ = case
    delivery, _, net = settled(slot)
    locks = locked_after_clearing(slot.positions, slot.tariff)
    within = (delivery.imported_wh <= delivery.bought_wh) & (delivery.exported_wh <= delivery.sold_wh)
    assert (-net[: slot.accounts.members] <= locks)[within].all()


@given(funded())
def test_the_advance_is_what_is_missing_and_never_more_than_the_energy_beyond_orders_costs(case):
    slot, funds = case
    delivery, postings, net = settled(slot)
    accounts, tariff = slot.accounts, slot.tariff
    cost = -net[: accounts.members]
    more = advance(postings, delivery, tariff, funds, accounts)
    got = more.net_n(accounts.total)
    missing = np.maximum(cost - funds, 0)
    assert got[: accounts.members].tolist() == missing.tolist()
    assert got[accounts.supplier] == -missing.sum()
    extra = np.maximum(delivery.imported_wh - delivery.bought_wh, 0)
    surplus = np.maximum(delivery.exported_wh - delivery.sold_wh, 0)
    assert (missing <= extra * max(tariff.supply, 0) + surplus * max(-tariff.feed_in, 0)).all()
    assert ((extra > 0) | (surplus > 0))[missing > 0].all()
    assert (more.kind == PostingKind.ADVANCE).all()
    after = postings.and_then(more).net_n(accounts.total)[: accounts.members]
    assert (after + funds >= 0).all()


@given(st.integers(0, 10**15), st.integers(1, 50))
def test_the_dividend_is_equal_and_what_does_not_divide_stays(undistributed, members):
    accounts = Accounts(members)
    net = dividend(5, undistributed, accounts).net_n(accounts.total)
    part = undistributed // members
    assert net[:members].tolist() == [part] * members
    assert -net[accounts.community] == part * members <= undistributed < part * members + members
    assert net.sum() == 0


def test_a_buyer_that_takes_nothing_at_a_negative_feed_in_has_it_locked():
    """It was paid 20 n¤/Wh for buying and pays 100 to have it taken back: 80 a Wh, where price + fee is only 10."""
    tariff = Tariff(supply=300, feed_in=-100, fee=30)
    slot = Traded(
        positions_of(0, -20, [10, 0], [0, 10]),
        Readings(0, *(np.array(c, np.int64) for c in ([0, 0], [0, 10], [0, 10], [0, 0], [0, 0]))),
        tariff,
    )
    delivery, postings, net = settled(slot)
    locks = locked_after_clearing(slot.positions, tariff)
    assert net[0] == -800
    assert locks.tolist() == [800, 2_900]
    assert len(advance(postings, delivery, tariff, locks, slot.accounts)) == 0


def test_surplus_that_costs_its_home_money_is_advanced():
    tariff = Tariff(supply=300, feed_in=-100, fee=30)
    nothing, ten = np.array([0]), np.array([10])
    slot = Traded(positions_of(0, -100, [0], [0]), Readings(0, nothing, ten, ten, nothing, nothing), tariff)
    delivery, postings, _ = settled(slot)
    more = advance(postings, delivery, tariff, np.array([300]), slot.accounts)
    assert more.amount_n.tolist() == [700]


def test_extra_energy_that_is_paid_for_by_the_supplier_needs_no_advance():
    tariff = Tariff(supply=-50, feed_in=-100, fee=0)
    nothing, ten = np.array([0]), np.array([10])
    slot = Traded(positions_of(0, -60, [0], [0]), Readings(0, ten, nothing, nothing, nothing, nothing), tariff)
    delivery, postings, net = settled(slot)
    assert net[0] == 500
    assert len(advance(postings, delivery, tariff, nothing, slot.accounts)) == 0


@st.composite
def with_own_prices(draw):
    """A slot in which some members have their own prices, at which their trades suit them."""
    slot = draw(traded_slots())
    members, held, common = slot.accounts.members, slot.positions, slot.tariff
    supply, feed_in, fee = (np.full(members, price, np.int64) for price in (common.supply, common.feed_in, common.fee))
    for member in draw(st.lists(st.integers(0, members - 1), min_size=1, unique=True)):
        mine = held.member == member
        paid, received = held.price[mine & held.is_buy], held.price[mine & ~held.is_buy]
        fee[member] = draw(st.integers(0, 60_000))
        dearest = int(paid.max()) if len(paid) else draw(st.integers(-50_000, 300_000))
        supply[member] = fee[member] + dearest + draw(st.integers(0, 200_000))
        cheapest = int(received.min()) if len(received) else draw(st.integers(-50_000, 300_000))
        feed_in[member] = cheapest - draw(st.integers(0, 200_000))
    return slot, replace(common, own=OwnPrices(supply, feed_in, fee))


@given(with_own_prices())
def test_a_member_that_keeps_its_word_never_loses_against_its_own_prices(drawn):
    slot, tariff = drawn
    delivery = deliver(slot.positions, slot.readings, tariff)
    net = post(delivery, slot.positions, tariff, slot.accounts).net_n(slot.accounts.total)
    kept = (slot.readings.import_wh >= slot.positions.bought_wh) & (slot.readings.export_wh >= slot.positions.sold_wh)
    alone = tariff_alone_n(slot.readings, tariff)
    assert (net[: slot.accounts.members] >= alone)[kept].all()
    assert net.sum() == net[slot.accounts.escrow] == net[slot.accounts.pool] == 0
    assert net[slot.accounts.community] >= 0


@given(with_own_prices(), st.booleans(), st.integers(0, 30_000), st.data())
def test_energy_that_stays_near_bears_its_fee_and_nobody_else_notices(drawn, common, fee, data):
    slot, tariff = drawn
    tariff = replace(tariff, own=None) if common else tariff
    places = data.draw(st.lists(st.integers(-1, 2), min_size=slot.accounts.members, max_size=slot.accounts.members))
    near = replace(tariff, near=NearFee(fee, np.array(places, np.int64)))
    delivery = deliver(slot.positions, slot.readings, tariff)
    accounts, nets = slot.accounts, (post(delivery, slot.positions, t, slot.accounts) for t in (tariff, near))
    before, after = (postings.net_n(accounts.total) for postings in nets)
    use = near_use_wh(delivery, near.near)
    assert ((use >= 0) & (use <= delivery.local_use_wh)).all()
    assert not use[np.array(places) < 0].any()
    assert int(use.sum()) <= int(slot.readings.export_wh.sum())
    less = use * (tariff.fee_of - fee)
    assert (after - before)[: slot.accounts.members].tolist() == less.tolist()
    assert after.sum() == 0
    if common:  # with own fees, those of replaced energy are of other users
        assert (after - before)[slot.accounts.network] == -less.sum()


@given(traded_slots())
def test_own_prices_that_are_the_common_ones_change_nobodys_money(slot):
    members, common = slot.accounts.members, slot.tariff
    own = OwnPrices(*(np.full(members, price, np.int64) for price in (common.supply, common.feed_in, common.fee)))
    tariff = replace(common, own=own)
    delivery = deliver(slot.positions, slot.readings, tariff)
    net = post(delivery, slot.positions, tariff, slot.accounts).net_n(slot.accounts.total)
    assert net.tolist() == settled(slot)[2].tolist()


@given(with_own_prices())
def test_alone_with_its_own_prices_everybody_deals_with_the_supplier(drawn):
    slot, tariff = drawn
    nothing = [0] * slot.accounts.members
    untraded = positions_of(slot.positions.slot, 0, nothing, nothing)
    apart = replace(tariff, supply=tariff.feed_in + tariff.fee - 1)
    delivery = deliver(untraded, slot.readings, apart)
    net = post(delivery, untraded, apart, slot.accounts).net_n(slot.accounts.total)
    assert net[: slot.accounts.members].tolist() == tariff_alone_n(slot.readings, apart).tolist()
