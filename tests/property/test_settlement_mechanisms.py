"""Every mechanism to the end: whatever it clears is settled by the rules of the worked slot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import SIDES, SLOT, Traded, orders_table, whole
from transactive.core.community.network import Line, NetworkRules, network_of
from transactive.core.errors import ConfigError, RuleBroken
from transactive.core.postings import PostingKind
from transactive.core.tables import Orders, Readings
from transactive.core.tariff import PriceGrid, Tariff
from transactive.core.trades.positions import Positions
from transactive.market import mechanisms, registry
from transactive.market.auction import uniform
from transactive.market.fills import OrderFills, check_fills, exact_fills
from transactive.market.mechanisms import Cleared, Site
from transactive.market.network.local_losses import local_losses_wh
from transactive.settlement.funds import advance
from transactive.settlement.netted import deliver, post, sales_wh, tariff_alone_n
from transactive.trading.escrow import lock_price, locked_after_clearing

NAMES = registry.names()


@dataclass(frozen=True)
class Traffic:
    """Orders as a gate sees them, with a network for those who ask for one, and meters."""

    orders: Orders
    grid: PriceGrid
    tariff: Tariff
    members: int
    site: Site
    readings: Readings

    def cleared(self, name: str) -> Cleared:
        return mechanisms.clear(registry.load(name), self.orders, self.grid, self.members, self.site)


@st.composite
def lines_between(draw: st.DrawFn, nodes: int, most_wh: int) -> list[Line]:
    """A tree whose lines may lose energy, or one with a ring."""
    limit = st.integers(0, most_wh)
    ring = nodes > 2 and draw(st.booleans())
    loss = st.just(0) if ring else st.sampled_from((0, 20_000, 333_333))
    ends = [(draw(st.integers(0, k - 1)), k) for k in range(1, nodes)] + [(0, nodes - 1)] * ring
    return [Line(f"n{a}", f"n{b}", draw(limit), draw(limit), draw(loss)) for a, b in ends]


@st.composite
def traffic(draw: st.DrawFn) -> Traffic:
    members, nodes = draw(st.integers(1, 5)), draw(st.integers(1, 4))
    feed_in, fee = draw(st.sampled_from((-20_000, 0, 80_000))), draw(st.sampled_from((0, 30_000)))
    tariff = Tariff(feed_in + fee + draw(st.integers(100, 200_000)), feed_in, fee)
    grid = PriceGrid.of(tariff, 100)
    ticks = st.sampled_from(draw(st.lists(st.integers(0, grid.size - 1), min_size=1, max_size=4)))
    most_wh = draw(st.sampled_from((3, 5_000)))
    count = draw(st.integers(0, 12))

    def column(values: st.SearchStrategy[int]) -> list[int]:
        return draw(st.lists(values, min_size=count, max_size=count))

    side = draw(st.sampled_from(SIDES))
    member, is_buy = column(st.integers(0, members - 1)), [bool(k) for k in column(side.map(int))]
    price, energy = [grid.price(k) for k in column(ticks)], column(st.integers(1, most_wh))
    orders = orders_table(member, is_buy, price, energy, SLOT)
    lines = draw(lines_between(nodes, most_wh))
    place = draw(st.lists(st.integers(0, nodes - 1), min_size=members, max_size=members))
    site = Site(np.array(place, np.int64), network_of(NetworkRules(tuple(f"n{k}" for k in range(nodes)), tuple(lines))))
    net = whole(*draw(st.lists(st.integers(-2 * most_wh, 2 * most_wh), min_size=members, max_size=members)))
    meters = (np.maximum(net, 0), np.maximum(-net, 0), np.maximum(-net, 0), 0 * net, 0 * net)
    return Traffic(orders, grid, tariff, members, site, Readings(SLOT, *meters))


def kept(case: Traffic, positions: Positions) -> Readings:
    """Meters of members that all keep their word, as far as one meter can."""
    net = positions.bought_wh - positions.sold_wh
    flows = (np.maximum(net, 0), np.maximum(-net, 0))
    return Readings(SLOT, *flows, flows[1], 0 * net, 0 * net)


def lost_in(site: Site, readings: Readings) -> int:
    """What lines lost between members."""
    return local_losses_wh(site.network, site.node, readings.import_wh, readings.export_wh)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(traffic())
def test_the_rules_hold_at_the_prices_of_every_mechanism(name: str, case: Traffic) -> None:
    cleared = case.cleared(name)
    positions, tariff = cleared.positions, case.tariff
    for readings in (case.readings, kept(case, positions)):
        slot = Traded(positions, readings, tariff)
        a = slot.accounts
        delivery = deliver(positions, readings, lost_wh=lost_in(case.site, readings))
        postings = post(delivery, positions, tariff, a)
        net = postings.net_n(a.total)
        imports, exports = int(readings.import_wh.sum()), int(readings.export_wh.sum())
        assert net.sum() == net[a.escrow] == net[a.pool] == 0
        lost = delivery.lost_used_wh
        assert lost == lost_in(case.site, readings), "what was lost, whatever was bought for it"
        grid = imports + lost - exports  # what really flows to or from the community
        assert net[a.supplier] == grid * (tariff.supply if grid > 0 else tariff.feed_in)
        spare_n = delivery.lost_give_inside_wh * tariff.gives_receive
        spare_n += delivery.lost_give_supplier_wh * tariff.feed_in - delivery.lost_extra_inside_wh * tariff.needs_pay
        spare_n -= delivery.lost_extra_supplier_wh * tariff.grid_cost
        assert net[a.network] == tariff.fee * min(imports, exports - lost) + positions.surplus_n + spare_n
        alone, cost_n = tariff_alone_n(readings, tariff), lost * max(tariff.supply, 0)
        assert net[: case.members].sum() + net[a.community] + positions.surplus_n + spare_n + cost_n >= alone.sum()
        true = (readings.import_wh >= positions.bought_wh) & (readings.export_wh >= positions.sold_wh)
        assert (net[: case.members] >= alone)[true].all()
        locks = locked_after_clearing(positions, tariff)
        within = (readings.import_wh <= positions.bought_wh) & (readings.export_wh <= positions.sold_wh)
        assert (-net[: case.members] <= locks)[within].all()
        advance(postings, delivery, tariff, locks, a)  # refuses a cost that no lock covers


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(traffic())
def test_positions_and_money_are_those_of_the_orders(name: str, case: Traffic) -> None:
    cleared, orders = case.cleared(name), case.orders
    positions, clearing = cleared.positions, cleared.clearing
    for side, total in ((True, positions.bought_wh), (False, positions.sold_wh)):
        rows, held = orders.is_buy == side, positions.is_buy == side
        got = np.zeros(case.members, np.int64)
        np.add.at(got, orders.member[rows], clearing.allocated_wh[rows])
        summed = np.zeros(case.members, np.int64)
        np.add.at(summed, positions.member[held], positions.energy_wh[held])
        assert got.tolist() == total.tolist() == summed.tolist()
        money = int((positions.energy_wh * positions.price)[held].sum())
        assert int(cleared.money_n[rows].sum()) == (-money if side else money)
    assert clearing.traded_wh == int(positions.bought_wh.sum()) == int(positions.sold_wh.sum()) - positions.lost_wh
    assert clearing.digest() == case.cleared(name).clearing.digest()
    gained = np.where(orders.is_buy, 1, -1) * orders.price * clearing.allocated_wh + cleared.money_n
    assert (gained >= 0).all()  # nobody beyond its limit, in money
    key = list(zip(~positions.is_buy, positions.member, positions.price, strict=True))
    assert key == sorted(set(key))
    assert (positions.energy_wh > 0).all()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20)
@given(traffic())
def test_clearing_never_raises_a_lock(name: str, case: Traffic) -> None:
    orders, locks = case.orders, np.zeros(case.members, np.int64)
    np.add.at(locks, orders.member, orders.energy_wh * lock_price(orders.is_buy, orders.price, case.tariff))
    assert (locked_after_clearing(case.cleared(name).positions, case.tariff) <= locks).all()


@settings(max_examples=30)
@given(traffic())
def test_two_clearings_of_a_slot_are_settled_as_one_position(case: Traffic) -> None:
    uniform_, bids = case.cleared("uniform").positions, case.cleared("pay_as_bid").positions
    both = uniform_.and_then(bids)
    assert both.bought_wh.tolist() == (uniform_.bought_wh + bids.bought_wh).tolist()
    assert both.surplus_n == uniform_.surplus_n + bids.surplus_n
    locks = [locked_after_clearing(part, case.tariff) for part in (uniform_, bids, both)]
    assert locks[2].tolist() == (locks[0] + locks[1]).tolist()
    post(deliver(both, case.readings), both, case.tariff, Traded(both, case.readings, case.tariff).accounts)


def test_the_dearest_sales_fall_short_first() -> None:
    rows = [(0, True, 50, 130), (0, True, 30, 110), (1, False, 30, 110), (1, False, 50, 130)]
    member, is_buy, energy, price = (np.array(column) for column in zip(*rows, strict=True))
    positions = Positions.of(0, 2, member, is_buy, energy, price)
    certified, short, again = sales_wh(positions, np.array([2, 3]), whole(0, 45))
    assert (certified.tolist(), short.tolist(), again.tolist()) == ([30, 15], [0, 35], [0, 0])
    nothing = whole(0, 0)
    meters = Readings(0, whole(80, 0), whole(0, 45), whole(0, 45), nothing, nothing)
    tariff = Tariff(280, 80, 30)
    postings = post(deliver(positions, meters), positions, tariff, Traded(positions, meters, tariff).accounts)
    refunds = postings.kind == PostingKind.SHORTFALL_REFUND
    assert postings.energy_wh[refunds].tolist() == [35]
    assert postings.price[refunds].tolist() == [130]


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(-(10**12), 10**12)), max_size=6))
def test_any_money_becomes_fills_to_the_last_unit(parts: list[tuple[int, int]]) -> None:
    energy, money = (np.array(column, np.int64) for column in (zip(*parts, strict=True) if parts else ((), ())))
    fills = exact_fills(0, np.arange(len(parts)), energy, money)
    paid = np.zeros(len(parts), np.int64)
    np.add.at(paid, fills.order, fills.energy_wh * fills.price)
    assert fills.allocated_wh(len(parts)).tolist() == energy.tolist()
    assert paid.tolist() == money.tolist()


ORDERS = orders_table([0, 1], [True, False], [300, 100], [10, 10])
GRID = PriceGrid(0, 400, 100)


@pytest.mark.parametrize(
    ("order", "energy", "price", "rule"),
    [
        ([0, 1], [10, 0], [200, 200], "a fill has energy"),
        ([0, 1], [10, 9], [200, 200], "Wh bought = Wh sold"),
        ([0, 1, 0, 1], [10, 10, 1, 1], [200] * 4, "no order gets more than its quantity"),
        ([0, 1], [10, 10], [301, 200], "no order trades beyond its limit"),
        ([0, 1], [10, 10], [200, 99], "no order trades beyond its limit"),
        ([0, 1], [10, 10], [200, 201], "buyers pay at least what sellers receive"),
    ],
)
def test_a_mechanism_that_breaks_a_rule_is_not_settled(
    order: list[int], energy: list[int], price: list[int], rule: str
) -> None:
    bad = OrderFills(0, np.array(order), np.array(energy), np.array(price))
    with pytest.raises(RuleBroken, match=rule):
        check_fills(ORDERS, bad)
    with pytest.raises(RuleBroken, match=rule):
        mechanisms.clear(registry.ByOrder(lambda *_: bad), ORDERS, GRID, 2)


def test_orders_with_their_own_prices_are_settled_and_the_rest_is_the_networks() -> None:
    fills = OrderFills(0, np.array([0, 1]), np.array([10, 10]), np.array([250, 150]))
    cleared = mechanisms.clear(registry.ByOrder(lambda *_: fills), ORDERS, GRID, 2)
    assert cleared.clearing.price == 250  # what buyers pay on average
    assert cleared.money_n.tolist() == [-2_500, 1_500]
    assert cleared.positions.surplus_n == 1_000
    meters = Readings(0, whole(10, 0), whole(0, 10), whole(0, 10), whole(0, 0), whole(0, 0))
    tariff = Tariff(330, 50, 0)
    slot = Traded(cleared.positions, meters, tariff)
    postings = post(deliver(slot.positions, meters), slot.positions, tariff, slot.accounts)
    rent = postings.kind == PostingKind.CONGESTION_RENT
    assert postings.amount_n[rent].tolist() == [1_000]
    assert postings.payee[rent].tolist() == [slot.accounts.network]


def test_lost_energy_is_bought_by_the_network_and_what_is_not_delivered_is_not_lost() -> None:
    """500 Wh sold over a line that loses a tenth, 450 bought at the buyer's limit of 250; 400 Wh are delivered."""
    network = network_of(NetworkRules(("pv", "home"), (Line("pv", "home", 900, loss_ppm=100_000),)))
    orders = orders_table([0, 1], [False, True], [80, 250], [500, 900])
    cleared = mechanisms.clear(
        registry.load("locational"), orders, PriceGrid(80, 250, 1), 2, Site(np.array([0, 1]), network)
    )
    positions = cleared.positions
    assert (positions.sold_wh.tolist(), positions.bought_wh.tolist()) == ([500, 0], [0, 450])
    assert (positions.lost_wh, positions.lost_n) == (50, 50 * 225)
    assert positions.price.tolist() == [250, 225]
    tariff, nothing = Tariff(280, 80, 30), whole(0, 0)
    meters = Readings(0, whole(0, 450), whole(400, 0), whole(400, 0), nothing, nothing)
    slot = Traded(positions, meters, tariff)
    site = Site(np.array([0, 1]), network)
    assert lost_in(site, meters) == 39  # of 499 Wh that enter the line, 99 of them the grid's, 49 are lost
    delivery = deliver(positions, meters, lost_wh=39)
    assert (delivery.lost_used_wh, delivery.lost_give_inside_wh) == (
        39,
        11,
    )  # so many of the hundred short Wh met inside
    postings = post(delivery, positions, tariff, slot.accounts)
    rent, losses = (postings.kind == kind for kind in (PostingKind.CONGESTION_RENT, PostingKind.LOSSES))
    assert postings.amount_n[rent].tolist() == [450 * (250 - 225)]
    assert (postings.amount_n[losses].tolist(), postings.energy_wh[losses].tolist()) == ([50 * 225], [50])
    net = postings.net_n(slot.accounts.total)
    assert net[slot.accounts.supplier] == (450 + 39 - 400) * 280
    assert net[slot.accounts.network] == (400 - 39) * 30 + 11 * tariff.gives_receive + positions.surplus_n


def test_what_lines_lose_beyond_what_was_bought_for_it_comes_before_the_extras_of_members() -> None:
    """500 Wh sold and given, 450 bought; 60 Wh were lost and 50 bought for it; a home took 70 more, another 20 less."""
    trades = ([1, 2, 0], [True, True, False], [430, 20, 500], [200, 200, 180])
    positions = Positions.of(0, 3, *(np.array(column) for column in trades)).losing(50, 50 * 180)
    nothing, given_wh = whole(0, 0, 0), whole(500, 0, 0)
    slot = Traded(positions, Readings(0, whole(0, 500, 0), given_wh, given_wh, nothing, nothing), Tariff(280, 80, 30))
    delivery = deliver(positions, slot.readings, lost_wh=60)
    assert (delivery.lost_used_wh, delivery.lost_extra_inside_wh, delivery.lost_extra_supplier_wh) == (60, 10, 0)
    assert (delivery.extra_inside_wh.tolist(), delivery.extra_supplier_wh.tolist()) == ([0, 10, 0], [0, 60, 0])
    net = post(delivery, positions, slot.tariff, slot.accounts).net_n(slot.accounts.total)
    assert net[slot.accounts.supplier] == (500 + 60 - 500) * 280
    assert net[slot.accounts.network] == (500 - 60) * 30 - 10 * slot.tariff.needs_pay


def test_prices_by_location_ask_for_a_network() -> None:
    with pytest.raises(ConfigError, match="need a network"):
        mechanisms.clear(registry.load("locational"), ORDERS, GRID, 2)


def test_one_price_is_settled_as_it_was_cleared() -> None:
    cleared = mechanisms.clear(registry.load("uniform"), ORDERS, GRID, 2)
    assert cleared.clearing.digest() == uniform.clear(ORDERS, GRID, 2).digest()
    assert cleared.positions.price.tolist() == [200, 200]
    assert cleared.money_n.tolist() == [-2_000, 2_000]
