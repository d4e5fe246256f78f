"""Pay as bid on the worked slot, broken trades, and what the registry says of a mechanism with many prices."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tests.strategies import orders_table
from transactive.core.errors import DataError, RuleBroken
from transactive.core.tariff import PriceGrid
from transactive.market import registry
from transactive.market.auction import pay_as_bid
from transactive.market.trades import check_trades, pair

GRID = PriceGrid(80_000, 250_000, 100)
ORDERS = orders_table(
    [0, 1, 2, 3], [False, False, True, True], [80_000, 120_000, 250_000, 200_000], [2000, 1500, 1800, 1000]
)


def test_the_worked_slot() -> None:
    trades = pay_as_bid.clear(ORDERS, GRID, 4)
    assert trades.buy.tolist() == [2, 3, 3]
    assert trades.sell.tolist() == [0, 0, 1]
    assert trades.energy_wh.tolist() == [1800, 200, 800]
    assert trades.price.tolist() == [250_000, 200_000, 200_000]
    assert trades.allocated_wh(4).tolist() == [2000, 800, 1800, 1000]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"energy_wh": [1800, 0, 800]}, "has energy"),
        ({"buy": [2, 0, 3]}, "between a buy and a sell"),
        ({"sell": [0, 2, 1]}, "between a buy and a sell"),
        ({"price": [250_100, 200_000, 200_000]}, "more than its limit"),
        ({"price": [250_000, 200_000, 119_900]}, "less than its limit"),
        ({"energy_wh": [1801, 199, 800]}, "quantity"),
    ],
)
def test_broken_trades_are_noticed(change, rule) -> None:
    columns: dict[str, Any] = {name: np.array(values) for name, values in change.items()}
    with pytest.raises(RuleBroken, match=rule):
        check_trades(ORDERS, replace(pay_as_bid.clear(ORDERS, GRID, 4), **columns))


def test_a_book_that_is_not_cleared_is_not_paired() -> None:
    with pytest.raises(DataError, match="3 Wh bought, 2 Wh sold"):
        pair(np.array([3, 2]), np.array([0]), np.array([1]))
    with pytest.raises(DataError, match="3 Wh bought, 0 Wh sold"):
        pair(np.array([3]), np.array([0]), np.array([], np.int64))


def test_a_mechanism_with_many_prices_is_loaded_by_name() -> None:
    assert registry.load("pay_as_bid") is pay_as_bid.MECHANISM
