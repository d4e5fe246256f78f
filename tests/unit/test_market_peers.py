"""Faults measured in other markets' own code, each as a book on which ours must be right."""

from __future__ import annotations

import numpy as np
import pytest

from tests.strategies import orders_table
from transactive.core.tables import Orders
from transactive.core.tariff import PriceGrid
from transactive.market import pay_as_bid, uniform
from transactive.market.levels import by_rank
from transactive.market.result import clear_levelled

GRID = PriceGrid(0, 300_000, 100)
MECHANISMS = pytest.mark.parametrize("mechanism", [uniform.clear, pay_as_bid.MECHANISM], ids=["uniform", "pay_as_bid"])


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
    return clear_levelled(mechanism, orders, by_rank(orders), len(orders))


@MECHANISMS
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_over_fill(mechanism, seed) -> None:
    """HAMLET books min(bid, offer) of whole orders for every piece: a third of all orders get more than they asked."""
    orders = random_book(seed)
    assert (np.array(allocation(mechanism, orders).allocated_wh) <= orders.energy_wh).all()


@MECHANISMS
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


@MECHANISMS
def test_zero_volume_residues_counted_as_filled(mechanism) -> None:
    """ASSUME accepts orders with 1e-15 of volume; a Wh is whole, and an order without one has no trade."""
    orders = orders_table([0, 1, 2], [True, False, False], [200_000, 100_000, 150_000], [3, 3, 5])
    result = allocation(mechanism, orders)
    assert list(result.allocated_wh) == [3, 3, 0]
    assert len(result.trades) == 1
    assert result.trades.energy_wh.all()


@MECHANISMS
def test_fee_inside_the_price(mechanism) -> None:
    """Peers add the grid fee to the clearing price; here buyers pay what sellers receive, to the last n¤."""
    orders = random_book(1)
    result = allocation(mechanism, orders)
    money = np.array(result.money_n)
    assert -money[orders.is_buy].sum() == money[~orders.is_buy].sum() > 0
