"""Tariffs, price grids and devices, by example."""

import numpy as np
import pytest

from tests.strategies import whole
from transactive.core.accounts import Accounts
from transactive.core.community.members import Devices, Member
from transactive.core.errors import InputError, RuleBroken, require
from transactive.core.tariff import PriceGrid, Tariff


def test_with_a_feed_in_above_supply_less_fee_there_is_no_market():
    assert Tariff(100, 70, 30).meets
    dear = Tariff(100, 71, 30)
    assert not dear.meets
    assert (dear.needs_pay + dear.fee, dear.gives_receive) == (100, 71)
    assert PriceGrid.of(dear, 1) == PriceGrid(71, 71, 1)


def test_prices_of_deviations_stand_a_quarter_of_the_spread_inside():
    tariff = Tariff(280_000, 80_000, 30_000)
    assert (tariff.grid_cost, tariff.needs_pay, tariff.gives_receive) == (250_000, 207_500, 122_500)
    negative = Tariff(10, -70, 30)
    assert (negative.grid_cost, negative.needs_pay, negative.gives_receive) == (-20, -32, -58)


def test_the_grid_of_a_tariff_ends_at_the_last_tick_that_is_not_above_supply_less_fee():
    assert PriceGrid.of(Tariff(280, 80, 30), 100) == PriceGrid(80, 180, 100)
    assert PriceGrid.of(Tariff(280, 80, 30), 1000) == PriceGrid(80, 80, 1000)
    assert PriceGrid.of(Tariff(110, 80, 30), 1).size == 1


@pytest.mark.parametrize(("floor", "cap", "tick"), [(0, 100, 0), (0, 100, -10), (0, 100, 30), (100, 0, 10)])
def test_a_grid_whose_tick_does_not_divide_it_is_refused(floor, cap, tick):
    with pytest.raises(InputError, match="the tick must divide"):
        PriceGrid(floor, cap, tick)


def test_named_accounts_follow_the_members_and_the_passing_ones_come_last():
    a = Accounts(3)
    assert [a.supplier, a.network, a.community, a.levy, a.credits, a.escrow, a.pool] == list(range(3, 10))
    assert (a.on_chain, a.total) == (8, 10)


def test_power_becomes_energy_per_slot_and_a_home_without_battery_has_none():
    home = Member(id="a", pv_w=4_000, battery_wh=6_400, battery_w=5_001, battery_efficiency_ppm=900_000)
    devices = Devices.of((home, Member(id="b", battery_w=5_000)), 15)
    assert devices.pv_wh.tolist() == [1_000, 0]
    assert devices.power_wh.tolist() == [1_250, 0]
    assert devices.capacity_wh.tolist() == [6_400, 0]


def test_losses_are_rounded_against_the_battery():
    devices = Devices.of((Member(id="a", battery_wh=6_400, battery_w=5_000),), 60)
    assert devices.drawn_wh(whole(800)).tolist() == [889]
    assert devices.deliverable_wh(whole(889)).tolist() == [800]
    assert devices.deliverable_wh(whole(888)).tolist() == [799]
    assert devices.drawn_wh(np.zeros(1, np.int64)).tolist() == [0]


def test_a_broken_rule_is_named():
    require(condition=True, rule="fine")
    with pytest.raises(RuleBroken, match="money sums to zero; please report"):
        require(condition=False, rule="money sums to zero")
