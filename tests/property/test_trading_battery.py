"""Batteries: the rule that moves one, and the plan that makes the rule."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import batteries, whole
from transactive.core.community.members import Devices
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.units import PPM
from transactive.trading.devices.compiled import backward
from transactive.trading.devices.follow import follow
from transactive.trading.devices.plan import EVERY, GROUP, LEVELS, by_columns, plan

LEVEL_NAMES = [field.name for field in fields(DeviceRules) if field.name.endswith("_to_wh")]
PRICES = st.one_of(st.integers(-5, 5), st.integers(-100_000, 600_000))
NET = st.one_of(st.just(0), st.integers(-20, 20), st.integers(-15_000, 15_000))


def ordered(rule):
    return (
        (rule.grid_charge_to_wh <= rule.serve_down_to_wh).all()
        and (rule.surplus_charge_to_wh <= rule.export_down_to_wh).all()
        and (rule.grid_charge_to_wh <= rule.surplus_charge_to_wh).all()
        and (rule.serve_down_to_wh <= rule.export_down_to_wh).all()
    )


# -- following a rule -----------------------------------------------------------------------------


@st.composite
def moments(draw):
    """Devices, a rule whose levels rise as they must, charges within the capacity, and net loads of several samples."""
    members, samples = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    devices = draw(batteries(members))
    levels = np.sort([[draw(st.integers(0, int(c))) for c in devices.capacity_wh] for _ in range(4)], axis=0)
    if draw(st.booleans()):  # the two in the middle stand in either order
        levels[[1, 2]] = levels[[2, 1]]
    charged = np.array([[draw(st.integers(0, int(c))) for c in devices.capacity_wh] for _ in range(samples)])
    net = np.array([[draw(NET) for _ in range(members)] for _ in range(samples)])
    return devices, DeviceRules(0, *levels.astype(np.int64)), charged.astype(np.int64), net.astype(np.int64)


@given(moments())
def test_a_battery_does_one_thing_within_its_limits_and_forgets_no_loss(moment):
    devices, rule, charged, net = moment
    charge, discharge, after = follow(rule, devices, charged, net)
    assert (np.minimum(charge, discharge) == 0).all()
    for energy in (charge, discharge):
        assert (energy >= 0).all()
        assert (energy <= devices.power_wh).all()
        assert energy.dtype == np.int64
    assert ((after >= 0) & (after <= devices.capacity_wh)).all()
    lost = [
        [-(-d * PPM // e) for d, e in zip(row, devices.efficiency_ppm.tolist(), strict=True)]
        for row in discharge.tolist()
    ]
    assert (after == charged + charge - np.array(lost)).all()


@given(moments())
def test_a_battery_draws_from_the_grid_only_below_that_level_and_gives_to_it_only_above_its_own(moment):
    devices, rule, charged, net = moment
    charge, discharge, after = follow(rule, devices, charged, net)
    surplus, deficit = np.maximum(-net, 0), np.maximum(net, 0)
    assert ((charge <= surplus) | (charged + charge <= rule.grid_charge_to_wh)).all()
    assert ((discharge <= deficit) | (after >= rule.export_down_to_wh)).all()
    assert ((charge == 0) | (charged + charge <= rule.surplus_charge_to_wh)).all()
    assert ((discharge == 0) | (after >= rule.serve_down_to_wh)).all()


@given(moments())
def test_a_battery_does_all_that_its_rule_allows(moment):
    devices, rule, charged, net = moment
    charge, discharge, _ = follow(rule, devices, charged, net)
    surplus, deficit = np.maximum(-net, 0), np.maximum(net, 0)
    full = charge == devices.power_wh
    assert (full | (charged + charge >= rule.grid_charge_to_wh)).all()
    assert (full | (charge >= surplus) | (charged + charge >= rule.surplus_charge_to_wh)).all()
    spent = discharge == devices.power_wh

    def reached(level):  # one Wh more at the meter would take the battery below the level
        return charged - devices.drawn_wh(discharge + 1) < level

    assert (spent | reached(rule.export_down_to_wh)).all()
    assert (spent | (discharge >= deficit) | reached(rule.serve_down_to_wh)).all()


# -- making the rule ------------------------------------------------------------------------------


@st.composite
def tasks(draw):
    """Forecast, devices and price pairs, negative prices and members without a battery among them."""
    members, samples, slots = draw(st.integers(1, 3)), draw(st.integers(1, 4)), draw(st.integers(1, 6))
    devices = draw(batteries(members))
    count = slots * samples * members
    net = np.array(draw(st.lists(NET, min_size=count, max_size=count)), np.int64).reshape(slots, samples, members)
    spare = np.array([draw(PRICES) for _ in range(slots)], np.int64)
    need = spare + np.array([draw(st.integers(0, 300_000)) for _ in range(slots)], np.int64)
    return Forecast(np.arange(slots) * 3600, 0, net), devices, need, spare, draw(PRICES)


@given(tasks())
def test_the_levels_of_a_rule_rise_and_stand_on_whole_steps(task):
    forecast, devices, need, spare, rest = task
    rules = plan(forecast, devices, need, spare, rest)
    assert [rule.slot for rule in rules] == forecast.slots.tolist()
    steps = {i: {int(c) * k // LEVELS for k in range(LEVELS + 1)} for i, c in enumerate(devices.capacity_wh)}
    for rule in rules:
        assert ordered(rule)
        for name in LEVEL_NAMES:
            level = getattr(rule, name)
            assert level.dtype == np.int64
            assert all(int(wh) in steps[i] for i, wh in enumerate(level))


@given(tasks())
def test_a_planned_battery_never_charges_and_discharges_at_once(task):
    forecast, devices, need, spare, rest = task
    charged = np.zeros(forecast.net_load_wh.shape[1:], np.int64)
    for rule, net in zip(plan(forecast, devices, need, spare, rest), forecast.net_load_wh, strict=True):
        charge, discharge, charged = follow(rule, devices, charged, net)
        assert (np.minimum(charge, discharge) == 0).all()
        assert ((charged >= 0) & (charged <= devices.capacity_wh)).all()


@given(tasks(), st.integers(0, 2))
def test_what_neighbours_do_does_not_change_a_members_plan(task, chosen):
    forecast, devices, need, spare, rest = task
    one = chosen % len(devices.capacity_wh)
    columns = ("pv_wh", "capacity_wh", "power_wh", "efficiency_ppm")
    alone = Devices(*(getattr(devices, name)[[one]] for name in columns))
    its = Forecast(forecast.slots, 0, forecast.net_load_wh[:, :, [one]])
    together, single = plan(forecast, devices, need, spare, rest), plan(its, alone, need, spare, rest)
    for a, b in zip(together, single, strict=True):
        assert all(getattr(a, name)[one] == getattr(b, name)[0] for name in LEVEL_NAMES)


def test_batteries_are_planned_alike_in_whichever_group_and_thread_they_are():
    random = np.random.default_rng(1)
    few, copies = 5, 600  # a battery of every kind at every place of a group, one home in five without
    devices = Devices(
        *(np.array(column) for column in ([0] * few, [6400, 0, 7, 9999, 64], [1250] * few, [900_000] * few))
    )
    forecast = Forecast(np.arange(8) * 900, 0, random.integers(-2000, 2000, (8, 6, few)))
    need, spare = random.integers(200, 300, 8), random.integers(-50, 150, 8)
    alone = plan(forecast, devices, need, spare, rest_price=100)
    tiled = Forecast(forecast.slots, 0, np.tile(forecast.net_load_wh, copies))
    many = devices.rows(np.tile(np.arange(few), copies))
    with ThreadPoolExecutor(3) as threads:
        together = plan(tiled, many, need, spare, rest_price=100, spread=threads.map)
    assert copies * (few - 1) > 2 * GROUP // (len(range(0, 6, EVERY)) * (LEVELS + 1))
    for one, all_of_them in zip(alone, together, strict=True):
        for name in LEVEL_NAMES:
            assert np.tile(getattr(one, name), copies).tolist() == getattr(all_of_them, name).tolist()


@pytest.mark.soak
@given(tasks())
def test_a_compiled_plan_is_the_same_to_the_wh(task):
    forecast, devices, need, spare, rest = task
    plain, compiled = (plan(forecast, devices, need, spare, rest, backward=way) for way in (by_columns, backward()))
    assert [rule.levels_wh.tolist() for rule in plain] == [rule.levels_wh.tolist() for rule in compiled]


def test_at_negative_prices_a_battery_rests_where_a_cycle_would_waste_energy_for_money():
    """A charged Wh is worth −950: charging at −1,000 pays, and so would serving at −900 a delivered Wh."""
    devices = Devices(whole(0), whole(3_200), whole(1_000), whole(900_000))
    forecast = Forecast(whole(0), 0, whole(500).reshape(1, 1, 1))
    for price, surplus in ((-1_000, False), (-1_000, True)):
        need, spare = (whole(price), whole(price - 5_000 * (not surplus)))
        (rule,) = plan(forecast, devices, need, spare, rest_price=-1_055)
        assert ordered(rule)
        assert rule.grid_charge_to_wh.tolist() == [3_200]
        charge, discharge, _ = follow(rule, devices, whole(1_600), whole(500))
        assert (charge.tolist(), discharge.tolist()) == ([1_000], [0])


def least_cost(net, need, spare, rest, capacity, power, efficiency_ppm):
    """Least cost from each charge, by trying every whole charge and every whole action in every slot."""
    value = [-rest * (q * efficiency_ppm // PPM) for q in range(capacity + 1)]
    for load, dear, cheap in reversed(list(zip(net, need, spare, strict=True))):
        before = []
        for q in range(capacity + 1):
            costs = []
            for action in range(-power, power + 1):
                after = q + action if action > 0 else q - -(action * PPM // efficiency_ppm)
                if 0 <= after <= capacity:
                    grid = load + action
                    costs.append((grid * dear if grid > 0 else grid * cheap) + value[after])
            before.append(min(costs))
        value = before
    return value


def cost_of(rules, devices, net, need, spare, rest, charge):
    """Cost of following rules from a charge."""
    cost, charged = 0, whole(charge)
    for rule, load, dear, cheap in zip(rules, net, need, spare, strict=True):
        charged_wh, discharged_wh, charged = follow(rule, devices, charged, whole(load))
        grid = load + int(charged_wh[0] - discharged_wh[0])
        cost += grid * dear if grid > 0 else grid * cheap
    return cost - rest * int(devices.deliverable_wh(charged)[0])


@st.composite
def small_tasks(draw, capacities):
    capacity = draw(st.sampled_from(capacities))
    slots = draw(st.integers(1, 4))
    net = [draw(st.integers(-capacity, capacity)) for _ in range(slots)]
    spare = [draw(st.integers(0, 60)) for _ in range(slots)]
    need = [price + draw(st.integers(0, 60)) for price in spare]
    return capacity, draw(st.integers(1, capacity)), net, need, spare, draw(st.integers(0, 90))


def gap_to_least_cost(task, efficiency_ppm, charges):
    capacity, power, net, need, spare, rest = task
    devices = Devices(whole(0), whole(capacity), whole(power), whole(efficiency_ppm))
    forecast = Forecast(np.arange(len(net)) * 3600, 0, np.array(net, np.int64)[:, None, None])
    rules = plan(forecast, devices, np.array(need), np.array(spare), rest)
    best = least_cost(net, need, spare, rest, capacity, power, efficiency_ppm)
    return max(cost_of(rules, devices, net, need, spare, rest, q) - best[q] for q in charges(capacity))


@given(small_tasks((1, 3, 5, LEVELS - 3, LEVELS)))
def test_with_steps_of_at_most_one_wh_following_the_plan_costs_the_least_of_all_paths(task):
    assert gap_to_least_cost(task, PPM, lambda capacity: range(capacity + 1)) == 0


@settings(max_examples=15)
@given(small_tasks((10 * LEVELS,)), st.sampled_from((500_000, 800_000, 900_000)))
def test_with_losses_and_wider_steps_at_most_one_wh_a_slot_is_wasted(task, efficiency_ppm):
    capacity, power, net, need, spare, rest = task
    need, spare, rest = [1000 * p for p in need], [1000 * p for p in spare], 1000 * rest
    task = (capacity, power % 20 + 1, net, need, spare, rest)
    allowed = len(net) * max(*need, rest)
    assert gap_to_least_cost(task, efficiency_ppm, lambda capacity: range(0, capacity + 1, 32)) <= allowed


# -- what owners ask ------------------------------------------------------------------------------


@st.composite
def owned(draw):
    """Two homes whose owners ask for something, a forecast, the real net loads and prices of its slots."""
    capacity, reserve = ([draw(st.integers(1, 9_000)) for _ in range(2)] for _ in range(2))
    devices = Devices(
        whole(0, 0),
        np.array(capacity),
        np.array([draw(st.integers(1, 3_000)) for _ in range(2)]),
        np.array([draw(st.sampled_from([PPM, 900_000, 500_000])) for _ in range(2)]),
        reserve_wh=np.minimum(reserve, capacity) * draw(st.booleans()),
        own_only=np.array([draw(st.booleans()), True]),
        home_only=np.array([draw(st.booleans()), True]),
    )
    slots = draw(st.integers(1, 8))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    forecast = Forecast(np.arange(slots) * 3600, 0, random.integers(-5_000, 5_000, (slots, 8, 2)))
    spare = random.integers(-100_000, 300_000, slots)
    return devices, forecast, random.integers(-5_000, 5_000, (slots, 2)), spare + random.integers(0, 200_000), spare


@given(owned())
def test_a_battery_keeps_to_what_its_owner_asks_whatever_the_plan_thought(task):
    devices, forecast, net_load_wh, need, spare = task
    held = devices.capacity_wh // 2
    for rule, net in zip(plan(forecast, devices, need, spare, 100_000), net_load_wh, strict=True):
        charge, discharge, after = follow(rule, devices, held, net)
        assert (after >= np.minimum(held, devices.reserve_wh)).all(), "no rule takes what the owner keeps"
        assert (charge <= np.maximum(-net, 0))[devices.own_only].all(), "only the own surplus charges it"
        assert (discharge <= np.maximum(net, 0))[devices.home_only].all(), "only the own home is served"
        held = after


def test_a_reserve_is_filled_first_and_costs_no_more_of_the_battery_than_its_size():
    """Above 2,000 Wh kept, a battery of 6,400 Wh is planned as one of 4,400 Wh is."""
    forecast = Forecast(np.arange(24) * 3600, 0, np.random.default_rng(3).integers(-3_000, 3_000, (24, 8, 1)))
    need = np.where(np.arange(24) % 12 < 6, 200_000, 400_000)
    kept = Devices(whole(0), whole(6_400), whole(2_500), whole(900_000), reserve_wh=whole(2_000))
    small = Devices(whole(0), whole(4_400), whole(2_500), whole(900_000))
    with_reserve, without = (plan(forecast, one, need, need // 4, 180_000) for one in (kept, small))
    for above, alone in zip(with_reserve, without, strict=True):
        assert all(getattr(above, name) - 2_000 == getattr(alone, name) for name in LEVEL_NAMES)
    assert all(rule.grid_charge_to_wh >= 2_000 for rule in with_reserve)
