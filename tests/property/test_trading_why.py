"""Why a battery did something: what its plan weighed says that it was right, and a plan is kept as it was made."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.community.members import Devices
from transactive.core.tables import Forecast
from transactive.store.devices.plans import pack_plan, unpack_plan
from transactive.trading.devices.follow import follow
from transactive.trading.devices.made import MadePlan, WeighedSlot, band, expected_levels
from transactive.trading.devices.plan import LEVELS, plan
from transactive.trading.devices.why import BatteryLimits, Did, MovedEnergy, held_value_n, rule_flow_wh, why

HOUR, PPM = 3_600, 1_000_000
LIMITS = BatteryLimits(capacity_wh=8_000, reserve_wh=0, power_wh=2_000, efficiency_ppm=800_000)
WORTH = (300_000, 300_000, 200_000, 100_000)
WEIGHED = WeighedSlot(0, -HOUR, 250_000, 80_000, (0, 6_000, 4_000, 8_000), (-500, 0, 500), (0, 0, 0), WORTH)


@st.composite
def made_plans(draw):
    """A plan of one or two batteries over four slots, its samples and the batteries."""
    members, slots, samples = draw(st.integers(1, 2)), 4, 8
    load = draw(
        st.lists(st.integers(-4_000, 4_000), min_size=slots * samples * members, max_size=slots * samples * members)
    )
    capacity, power, reserve = (
        np.array(draw(st.lists(st.integers(low, high), min_size=members, max_size=members)), np.int64)
        for low, high in ((100, 9_000), (50, 5_000), (0, 3_000))
    )
    efficiency = np.array([draw(st.integers(500_000, PPM)) for _ in range(members)], np.int64)
    devices = Devices(
        np.zeros(members, np.int64), capacity, power, efficiency, reserve_wh=np.minimum(reserve, capacity)
    )
    spare = np.array([draw(st.integers(0, 200_000)) for _ in range(slots)], np.int64)
    need = spare + np.array([draw(st.integers(0, 300_000)) for _ in range(slots)], np.int64)
    net = np.array(load, np.int64).reshape(slots, samples, members)
    times = np.arange(slots) * HOUR
    worth = np.zeros((3, LEVELS, members), np.int64)
    rules = plan(Forecast(times, 0, net), devices, need, spare, int(need.min()), worth=worth)
    held = np.broadcast_to(reserve, (samples, members))
    levels = expected_levels(rules, lambda rule, had, loads: follow(rule, devices, had, loads)[2], net, held)
    needs, spares = (np.repeat(each[:, None], members, axis=1) for each in (need, spare))
    kept = np.stack([rule.levels_wh for rule in rules])
    loads = np.stack([band(each) for each in net])
    return MadePlan(-HOUR, times, 3, np.arange(members), kept, needs, spares, loads, levels, worth), devices


@given(made_plans(), st.integers(0, 2), st.integers(0, 9_000), st.integers(-5_000, 5_000))
@settings(max_examples=60)
def test_what_a_rule_does_costs_no_more_than_doing_nothing_by_the_plans_own_figures(made, slot, held, load):
    whole, devices = made
    columns = devices.capacity_wh, devices.reserve_wh, devices.power_wh, devices.efficiency_ppm
    capacity, reserve, power, efficiency = (int(column[0]) for column in columns)
    limits = BatteryLimits(capacity, reserve, power, efficiency)
    held = min(max(held, limits.reserve_wh), limits.capacity_wh)
    weighed = whole.of(slot * HOUR, 0)
    assert weighed is not None
    flow = rule_flow_wh(MovedEnergy(0, 0, load, held), limits, weighed)
    found = why(MovedEnergy(max(flow, 0), max(-flow, 0), load, held), limits, weighed)
    assert found.rule_wh is None
    if flow:
        assert found.otherwise_n is not None
        assert found.otherwise_n >= -2 * max(500_000, *weighed.worth)  # a Wh may be lost where efficiency is rounded


@given(made_plans())
@settings(max_examples=30)
def test_a_plan_is_kept_as_it_was_made(made):
    whole, _ = made
    again = unpack_plan(pack_plan(whole), whole.made, "a plan")
    for name in ("slots", "members", "levels_wh", "need_price", "spare_price", "load_wh", "held_wh", "worth"):
        assert (getattr(again, name) == getattr(whole, name)).all()
    assert (again.made, again.own) == (whole.made, whole.own)


def test_a_level_is_worth_the_sum_of_its_steps():
    assert [held_value_n(WORTH, LIMITS, wh) for wh in (0, 1_000, 4_000, 5_000, 8_000)] == [
        0,
        1_000 * 300_000,
        4_000 * 300_000,
        4_000 * 300_000 + 1_000 * 200_000,
        4_000 * 300_000 + 2_000 * 200_000 + 2_000 * 100_000,
    ]


@pytest.mark.parametrize(
    ("moved", "did", "price", "worth", "otherwise_n"),
    [
        # 1 kWh spare stored at an empty level: 80 given away, 300 kept
        (MovedEnergy(1_000, 0, -1_000, 0), Did.STORED, 80_000, 300_000, 1_000 * 220_000),
        # 1 kWh served from 5 kWh: 1,250 Wh less held, 1,000 of them worth 200 and 250 worth 300
        (MovedEnergy(0, 1_000, 1_000, 5_000), Did.SERVED, 250_000, 275_000, -1_000 * 25_000),
        # 1 kWh to spare, half of the step at 100 is free: nothing done brings 80 a Wh, storing it 100
        (MovedEnergy(0, 0, -1_000, 7_000), Did.LEFT_ROOM, 80_000, 100_000, -1_000 * 20_000),
        # 400 Wh needed, kept at 4 kWh: 500 Wh held are worth 300
        (MovedEnergy(0, 0, 400, 4_000), Did.KEPT, 250_000, 375_000, 400 * 125_000),
        (MovedEnergy(0, 0, 400, 100), Did.EMPTY, None, None, None),
        (MovedEnergy(0, 0, -400, 7_990), Did.FULL, None, None, None),
    ],
)
def test_reasons_worked_by_hand(moved, did, price, worth, otherwise_n):
    found = why(moved, LIMITS, WEIGHED)
    assert (found.did, found.price, found.worth, found.otherwise_n) == (did, price, worth, otherwise_n)


def test_without_a_plan_nothing_is_guessed():
    found = why(MovedEnergy(1_000, 0, -1_000, 0), LIMITS, None)
    assert (found.did, found.price, found.worth, found.otherwise_n) == (Did.STORED, None, None, None)


def test_what_held_a_battery_back_and_what_came_otherwise_is_said():
    found = why(MovedEnergy(500, 0, -1_500, 0), LIMITS, WEIGHED)  # the rule would have stored all
    assert (found.rule_wh, found.surprised, found.at_power) == (1_500, True, False)
    assert why(MovedEnergy(2_000, 0, -2_000, 0), LIMITS, WEIGHED).at_power
