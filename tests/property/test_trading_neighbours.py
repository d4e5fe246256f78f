"""Plans that know the neighbours: the best action at two kinks, no energy used twice, wishes that fall with prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.community.members import Devices, deliverable_wh
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.tariff import Tariff
from transactive.core.units import PPM, IntArray
from transactive.engine.devices.neighbours import Neighbours
from transactive.trading.devices.compiled import backward
from transactive.trading.devices.energy_value import inside_prices, tariff_prices
from transactive.trading.devices.follow import BATTERY, follow, reach
from transactive.trading.devices.neighbours import held_worth, worths
from transactive.trading.devices.plan import by_columns, slot_cost
from transactive.trading.devices.stores import NO_LIMIT_WH, PlanHorizon, batteries
from transactive.trading.devices.street import met_wh, street_act

SLOTS, SAMPLES = 6, 5
seeds = st.integers(0, 2**32 - 1)


def owned(count: int, draw: np.random.Generator) -> Devices:
    """Batteries of all kinds of owners."""
    capacity = draw.integers(0, 12_000, count)
    own, home = (draw.integers(0, 2, count) > 0 for _ in range(2))
    reserve = draw.integers(0, 3_000, count)
    power, efficiency = draw.integers(1, 5_000, count), draw.integers(PPM // 2, PPM, count)
    return Devices(0 * capacity, capacity, power, efficiency, reserve, own, home)


def faced(draw: np.random.Generator, count: int) -> PlanHorizon:
    """A street as devices may face it, prices below zero too."""
    spare, room = draw.integers(-50_000, 300_000, (SLOTS, count)), draw.integers(0, 200_000, (SLOTS, count))
    need = spare + room + draw.integers(0, 50_000, (SLOTS, count))
    load, beside = (draw.integers(-4_000, 4_000, (SLOTS, SAMPLES, count)) for _ in range(2))
    rest, limit = draw.integers(0, 300_000, count), np.full(count, NO_LIMIT_WH)
    return PlanHorizon(load, need, spare, rest, limit, beside, room)


@given(st.integers(-4_000, 4_000), st.integers(-4_000, 4_000), st.data())
def test_no_action_in_a_street_costs_less(load, beside, data):
    """Against all actions of a battery without losses whose held Wh has one worth."""
    price = st.integers(0, 300)
    spare, room = data.draw(price), data.draw(price)
    need, worth = spare + room + data.draw(price), data.draw(price)
    held, most, power = 1_000, 2_000, 1_500
    full, empty = most, 0

    def filled_at(price: int) -> int:
        return full if worth > price else empty

    def given_at(price: int) -> int:
        return full if worth >= price else empty

    between = spare + room if beside > 0 else need - room
    grid, serve, surplus, export = filled_at(need), given_at(need), filled_at(spare), given_at(spare)
    pairs = ((filled_at(between), serve), (surplus, given_at(between)))
    high, low = (reach((grid, fill, give, export), BATTERY, held, most, power, power, PPM, PPM) for fill, give in pairs)
    draw, give = street_act(high, low, load, NO_LIMIT_WH, beside)
    moves = np.arange(-min(held, power), min(most - held, power) + 1)

    def cost(move: IntArray) -> IntArray:
        x = load + move
        paid: IntArray = slot_cost(BATTERY, x, held + move, need, spare, NO_LIMIT_WH, 0) - room * met_wh(x, beside)
        paid -= worth * move
        return paid

    assert draw == 0 or give == 0
    assert cost(np.array([draw - give]))[0] == cost(moves).min()


@settings(max_examples=30)
@given(seeds)
def test_where_nobody_stands_beside_a_plan_is_the_one_alone(seed):
    draw = np.random.default_rng(seed)
    devices, street = owned(3, draw), faced(draw, 3)
    alone = PlanHorizon(
        street.net_load_wh, street.need_price, street.spare_price, street.rest_price, street.most_import_wh
    )
    nobody = replace(street, beside_wh=0 * street.net_load_wh)
    found = [by_columns(batteries(devices, SLOTS), ahead, 8, SLOTS) for ahead in (alone, nobody)]
    assert (found[0][0] == found[1][0]).all()
    assert (found[0][1] == found[1][1]).all()


@pytest.mark.long
def test_a_compiled_plan_among_neighbours_is_the_same_to_the_wh():
    draw = np.random.default_rng(7)
    devices, ahead = owned(8, draw), faced(draw, 8)
    for plain, compiled in zip(*(way(batteries(devices, SLOTS), ahead, 16, SLOTS) for way in (by_columns, backward())),
                               strict=True):  # fmt: skip
        assert (plain == compiled).all()


def forecasts(draw: np.random.Generator, count: int) -> tuple[Forecast, Forecast, list[Tariff]]:
    """What a community of homes with batteries, and two without, expects; and its tariffs."""
    slots = np.arange(SLOTS) * 3_600
    load = draw.integers(-4_000, 4_000, (SLOTS, 28, count + 2))
    feed_in = draw.integers(20_000, 90_000, SLOTS).tolist()
    tariffs = [Tariff(g + int(draw.integers(60_000, 300_000)), g, 30_000) for g in feed_in]
    return Forecast(slots, 0, load.sum(axis=2, keepdims=True)), Forecast(slots, 0, load[:, :, :count]), tariffs


@settings(max_examples=30)
@given(seeds)
def test_all_batteries_together_count_on_what_the_community_has_once(seed):
    """The kinks of all homes lie where the community's net load turns, each at its battery's part of the capacity."""
    draw = np.random.default_rng(seed)
    community, homes, tariffs = forecasts(draw, 4)
    capacity = draw.integers(1, 12_000, 4)
    whole = np.full(4, 900_000)
    twice = Devices(0 * capacity, np.repeat(capacity, 2), np.full(8, 5_000), np.repeat(whole, 2))
    need, spare = (price[:, None] + np.zeros(4, np.int64) for price in tariff_prices(community, tariffs))
    room = np.array([tariff.room for tariff in tariffs])
    once = Devices(0 * capacity, capacity, np.full(4, 5_000), whole)
    alone = worths(community.net_load_wh, homes.net_load_wh, once, (need, spare), room, SLOTS)
    shared = worths(
        2 * community.net_load_wh,
        np.repeat(homes.net_load_wh, 2, axis=2),
        twice,
        (np.repeat(need, 2, axis=1), np.repeat(spare, 2, axis=1)),
        room,
        SLOTS,
    )
    assert (shared[:, :, ::2] == alone).all(), "two like streets beside each other plan as one alone"
    assert (np.diff(alone, axis=1) <= 0).all()


@given(seeds, st.integers(-400_000, 400_000), st.integers(-400_000, 400_000))
def test_no_battery_takes_and_gives_at_once_whatever_the_tariff(seed, supply, fee):
    """Feed-in above the supply price, or a fee below zero: a Wh to spare is nowhere worth more than a need."""
    draw = np.random.default_rng(seed)
    community, _, _ = forecasts(draw, 1)
    for price in (inside_prices, tariff_prices):
        need, spare = price(community, [Tariff(supply, int(draw.integers(-400_000, 400_000)), fee)] * SLOTS)
        assert (spare <= need).all()
    devices, size = owned(4, draw), (16, 4)
    held = held_worth(-np.sort(-draw.integers(-400_000, 400_000, size), axis=0), np.zeros((2, 4), np.int64), devices)
    levels = held.rules(np.array([supply + fee]), np.array([supply]))[:, 0]
    charge, discharge, _ = follow(
        DeviceRules(0, *levels), devices, draw.integers(0, devices.capacity_wh + 1), draw.integers(-4_000, 4_000, 4)
    )
    assert not np.minimum(charge, discharge).any()


@settings(max_examples=10)
@given(seeds)
def test_a_battery_that_its_owner_keeps_whole_takes_no_part_of_the_street(seed):
    draw = np.random.default_rng(seed)
    community, homes, tariffs = forecasts(draw, 2)
    need, spare = (price[:, None] + np.zeros(2, np.int64) for price in tariff_prices(community, tariffs))
    room = np.array([tariff.room for tariff in tariffs])
    size, power, whole = np.full(2, 9_000), np.full(2, 5_000), np.full(2, 900_000)
    both = Devices(0 * size, size, power, whole, np.array([0, 9_000]))
    found = worths(community.net_load_wh, homes.net_load_wh, both, (need, spare), room, SLOTS)
    one = np.array([0])
    alone = worths(
        community.net_load_wh, homes.net_load_wh[:, :, :1], both.rows(one), (need[:, :1], spare[:, :1]), room, SLOTS
    )
    assert (found[:, :, :1] == alone).all()


@settings(max_examples=30)
@given(seeds)
def test_what_a_battery_wants_falls_with_the_price_and_keeps_to_its_owner(seed):
    draw = np.random.default_rng(seed)
    devices = owned(4, draw)
    held = held_worth(-np.sort(-draw.integers(0, 400_000, (16, 4)), axis=0), np.zeros((2, 4), np.int64), devices)
    prices = np.sort(draw.integers(0, 400_000, 9))
    levels = held.rules(prices + 30_000, prices)
    load = draw.integers(-4_000, 4_000, 4)
    charged = draw.integers(0, devices.capacity_wh + 1)
    charge, discharge, _ = follow(DeviceRules(0, *levels), devices, charged, load)
    assert (np.diff(charge - discharge, axis=0) <= 0).all()
    own, home, reserve = (np.array(asked) for asked in (devices.own_only, devices.home_only, devices.reserve_wh))
    assert (levels[0][:, own] == 0).all()
    kept = np.minimum(reserve, devices.capacity_wh)
    assert (levels[0] >= np.where(own, 0, kept)).all(), "what an owner keeps is filled, from the grid where it may be"
    assert (discharge <= np.maximum(deliverable_wh(np.maximum(charged - kept, 0), devices.efficiency_ppm), 0)).all()
    assert (np.where(home, discharge, 0) <= np.maximum(load, 0)).all()


@given(seeds, st.integers(-2_000, 2_000))
def test_a_battery_keeps_the_meter_at_what_was_traded(seed, promised):
    draw = np.random.default_rng(seed)
    whole = np.full(3, PPM)
    devices = Devices(0 * whole, np.full(3, 50_000), np.full(3, 50_000), whole)
    empty, full = np.full(3, 0), np.full(3, 50_000)
    rule = DeviceRules(0, empty, full, empty, full, np.full(3, promised))
    load = draw.integers(-4_000, 4_000, 3)
    charge, discharge, _ = follow(rule, devices, np.full(3, 25_000), load)
    assert (load + charge - discharge == promised).all()


def test_a_promise_leaves_alone_what_owners_keep_off_the_street():
    nothing, size = np.zeros(3, np.int64), np.full(3, 5_000)
    own, home = np.array([True, False, False]), np.array([False, True, False])
    neighbours = Neighbours(Devices(nothing, size, size, np.full(3, PPM), None, own, home))
    rule = DeviceRules(0, nothing, size, nothing, size)
    bought, sold = (neighbours.promise(rule, np.full(3, held)).promised_wh for held in (700, -700))
    assert np.array(bought).tolist() == [0, 700, 700]
    assert np.array(sold).tolist() == [-700, 0, -700]
