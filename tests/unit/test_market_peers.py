"""Faults measured in other markets' own code, each as a book on which ours must be right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strategies import orders_table
from transactive.bench.markets.preferences import seeded_wishes
from transactive.core.tables import Clearing, Orders
from transactive.core.tariff import PriceGrid
from transactive.market.auction import pay_as_bid, preferences, uniform
from transactive.market.auction.blocks import call_auction
from transactive.market.auction.blocks.order_kinds import BlockOrder, KindBook, Storage
from transactive.market.auction.levels import by_rank
from transactive.market.orderbook import listings
from transactive.market.result import clear_levelled, result_at_one_price, welfare

GRID = PriceGrid(0, 300_000, 100)
KINDS = object()
OPTIMAL = {
    "uniform": uniform.clear,
    "pay_as_bid": pay_as_bid.MECHANISM,
    "preferences": preferences.MECHANISM,
    "order kinds": KINDS,
}
MECHANISMS = pytest.mark.parametrize("mechanism", OPTIMAL.values(), ids=OPTIMAL)
ALL = pytest.mark.parametrize("mechanism", [*OPTIMAL.values(), listings.MECHANISM], ids=[*OPTIMAL, "listings"])


def random_book(seed: int, count: int = 1000) -> Orders:
    """The book on which the faults were measured: 2,201 prices, half buys, half sells."""
    random = np.random.default_rng(seed)
    price = random.integers(800, 3001, count) * 100
    sides = [row < count // 2 for row in range(count)]
    return orders_table(list(range(count)), sides, price.tolist(), random.integers(1, 5001, count).tolist())


def most_wh(orders: Orders) -> int:
    """Largest possible volume: both sides sorted and matched until the prices cross."""
    demand = [int(orders.energy_wh[orders.is_buy & (orders.price >= p)].sum()) for p in np.unique(orders.price)]
    supply = [int(orders.energy_wh[~orders.is_buy & (orders.price <= p)].sum()) for p in np.unique(orders.price)]
    return max(map(min, demand, supply))


def allocation(mechanism, orders: Orders):
    if mechanism is KINDS:
        found = call_auction.clear(KindBook((orders,)))
        wh = np.zeros((2, len(orders)), np.int64)
        np.add.at(wh, (orders.is_buy.astype(np.int64), orders.member), found.plain_wh[0])
        price = found.price[0] or 0
        return result_at_one_price(orders, Clearing(0, price, int(wh[1].sum()), found.plain_wh[0], wh[1], wh[0]))
    return clear_levelled(mechanism, orders, by_rank(orders), len(orders))


@ALL
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_fill(mechanism, seed) -> None:
    """HAMLET books min(bid, offer) of whole orders for every piece: a third of all orders get more than they asked."""
    orders = random_book(seed)
    assert (np.array(allocation(mechanism, orders).allocated_wh) <= orders.energy_wh).all()


@ALL
def test_equal_price_duplicates(mechanism) -> None:
    """Lemlab drops the second of two orders of one user at one price: 10 of 20 Wh trade."""
    orders = orders_table([0, 0, 1], [True, True, False], [200_000, 200_000, 100_000], [10, 10, 40])
    assert list(allocation(mechanism, orders).allocated_wh) == [10, 10, 20]


@MECHANISMS
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_dearest_first(mechanism, seed) -> None:
    """gsy-e's pay-as-bid starts with the dearest offer: up to twice the volume, down to 8 % of the welfare."""
    orders = random_book(seed)
    result = allocation(mechanism, orders)
    served = np.array(result.allocated_wh) > 0
    sells = ~orders.is_buy
    assert orders.price[sells & served].max() <= orders.price[sells & ~served].min()
    assert result.welfare_n == allocation(uniform.clear, orders).welfare_n


@MECHANISMS
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_under_clearing(mechanism, seed) -> None:
    """gsy-e's pay-as-clear trades about 1 % less than possible on some books."""
    orders = random_book(seed)
    assert allocation(mechanism, orders).traded_wh == most_wh(orders)


@ALL
def test_zero_volume_residues_counted_as_filled(mechanism) -> None:
    """ASSUME accepts orders with 1e-15 of volume; a Wh is whole, and an order without one has no trade."""
    orders = orders_table([0, 1, 2], [True, False, False], [200_000, 100_000, 150_000], [3, 3, 5])
    result = allocation(mechanism, orders)
    assert list(result.allocated_wh) == [3, 3, 0]
    assert len(result.trades) == 1
    assert result.trades.energy_wh.all()


@ALL
def test_fee_inside_the_price(mechanism) -> None:
    """Peers add the grid fee to the clearing price; here buyers pay what sellers receive, to the last n¤."""
    orders = random_book(1)
    result = allocation(mechanism, orders)
    money = np.array(result.money_n)
    assert -money[orders.is_buy].sum() == money[~orders.is_buy].sum() > 0


def test_over_fill_of_ranges_and_blocks() -> None:
    """The least of an order is no licence to book more than its most, or a part of what is all or nothing."""
    slots = tuple(orders_table([0], [False], [10], [energy]) for energy in (12, 7))
    blocks = (
        BlockOrder(is_buy=True, price=90, first=0, slots=2, least_wh=8, most_wh=8),
        BlockOrder(is_buy=True, price=80, first=0, slots=2, least_wh=5, most_wh=9),
    )
    found = call_auction.clear(KindBook(slots, blocks))
    assert found.block_wh == (0, 7)
    assert [given.tolist() for given in found.plain_wh] == [[7], [7]]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_volume_and_welfare_lost_to_preferences(seed) -> None:
    """Lemlab's preferences trade 0.97 to 1.05 of the volume and keep 0.988 of the welfare."""
    orders, wishes = seeded_wishes(1000, seed)
    given = preferences.clear(orders, GRID, 1000, wishes).allocated_wh(1000)
    best = uniform.clear(orders, GRID, 1000)
    assert int(given.sum()) == 2 * best.traded_wh
    assert welfare(orders, given.tolist()) >= 0.999 * welfare(orders, best.allocated_wh.tolist())


def test_charge_lost_over_slots_without_an_order() -> None:
    """ASSUME forgets a storage's charge over intervals in which it has no bid; here it waits."""
    slots = [([0], [False], [10], [4]), ([], [], [], []), ([0], [True], [90], [4])]
    storage = Storage(spread=5, first=0, slots=3, power_wh=4, capacity_wh=4, efficiency_ppm=1_000_000)
    found = call_auction.clear(KindBook(tuple(orders_table(*slot) for slot in slots), storages=(storage,)))
    assert found.charge_wh.tolist() == [[4, 0, 0]]
    assert found.discharge_wh.tolist() == [[0, 0, 4]]


def test_power_exceeded_by_orders_of_several_slots() -> None:
    """In ASSUME several markets together exceed a unit's power; a storage is one order for all of its slots."""
    slots = [([0], [False], [10], [40]), ([0], [True], [90], [40]), ([0], [True], [80], [40])]
    storage = Storage(spread=0, first=0, slots=3, power_wh=7, capacity_wh=9, efficiency_ppm=1_000_000)
    found = call_auction.clear(KindBook(tuple(orders_table(*slot) for slot in slots), storages=(storage,)))
    assert found.charge_wh.tolist() == [[7, 0, 0]]
    assert found.discharge_wh.tolist() == [[0, 7, 0]]
