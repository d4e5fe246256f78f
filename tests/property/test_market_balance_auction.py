"""The balance price as a mechanism: in turn, in balance, and never at the network's expense."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.strategies import SIDES, SLOT, orders_table
from transactive.core.tariff import PriceGrid
from transactive.market.balance.auction import beginner, clear, curve_for, in_turn
from transactive.market.fills import check_fills

GRID = PriceGrid(80_000, 250_000, 10_000)
MEMBERS = 5
BUY, SELL = True, False


@st.composite
def books(draw, low=GRID.floor):
    count = draw(st.integers(0, 14))

    def column(values):
        return draw(st.lists(values, min_size=count, max_size=count))

    side = draw(st.sampled_from(SIDES))
    price = column(st.integers(0, GRID.size - 1).map(lambda tick: low + tick * GRID.tick))
    is_buy = [bool(kind) for kind in column(side.map(int))]
    return orders_table(column(st.integers(0, MEMBERS - 1)), is_buy, price, column(st.integers(1, 5_000)), SLOT)


@given(books())
def test_a_slot_ends_in_balance_and_the_network_keeps_fractions_only(orders):
    fills = clear(orders, GRID, MEMBERS)
    check_fills(orders, fills)
    kept = -int(fills.money_n(orders).sum())
    assert 0 <= kept <= 4 * len(orders) + 1


@given(books())
def test_only_price_differences_count(orders):
    lower = clear(orders_like(orders, orders.price - 200_000), PriceGrid(-120_000, 50_000, 10_000), MEMBERS)
    as_it_is = clear(orders, GRID, MEMBERS)
    assert lower.order.tolist() == as_it_is.order.tolist()
    assert lower.energy_wh.tolist() == as_it_is.energy_wh.tolist()


def orders_like(orders, price):
    return orders_table(orders.member.tolist(), orders.is_buy.tolist(), price.tolist(), orders.energy_wh.tolist(), SLOT)


def test_the_worked_slots_orders():
    """A and B sell, C and D buy: base 165,000, scale 350 Wh, first A at falling prices, then C takes it back up."""
    orders = orders_table(
        [0, 1, 2, 3], [SELL, SELL, BUY, BUY], [80_000, 120_000, 250_000, 200_000], [2000, 1500, 1800, 1000], 0
    )
    curve = curve_for(orders, GRID)
    assert (curve.base_n, curve.scale_wh, curve.limit_wh) == (165_000, 350, 2_800)
    fills = clear(orders, GRID, 4)
    bought = np.bincount(orders.member[fills.order], fills.energy_wh)
    assert bought.tolist() == [2000, 800, 1800, 1000]
    money = fills.money_n(orders)
    assert money[0] > 0 > money[2]
    assert int(money.sum()) <= 0


def test_members_take_turns_and_in_a_file_the_rows_do():
    orders = orders_table([7, 7, 3, 5, 3], [SELL, SELL, BUY, BUY, BUY], [80_000] * 5, [1] * 5, 0)
    assert list(in_turn(orders)) == [0, 2, 3, 1, 4]
    first = [beginner(3600 * hour, 14) for hour in range(1, 5_000)]
    times = np.bincount(first, minlength=14)
    assert times.min() > 0.8 * len(first) / 14


def test_one_side_alone_trades_nothing():
    orders = orders_table([0, 1], [BUY, BUY], [200_000, 90_000], [5, 5], SLOT)
    assert len(clear(orders, GRID, 2)) == 0


def test_two_that_meet_trade_all_at_the_base_on_average():
    """Up and down the same way: the seller has what the buyer pays, and a little less where it does not divide."""
    orders = orders_table([0, 1], [SELL, BUY], [80_000, 250_000], [900, 900], 0)
    fills = clear(orders, GRID, 2)
    sold, paid = fills.money_n(orders)
    curve = curve_for(orders, GRID)
    assert sold == curve.payment(0, 900)
    assert 0 <= -paid - sold <= 1
