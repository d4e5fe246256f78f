"""Devices that hold energy: what they never do, what they reach, and how near the best possible their plans come."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.community.members import Devices
from transactive.core.errors import InputError
from transactive.core.units import PPM
from transactive.trading.devices.compiled import backward
from transactive.trading.devices.foresight import least_cost_n
from transactive.trading.devices.kinds import best_start, electric_vehicles, heat_stores
from transactive.trading.devices.plan import LEVELS, by_columns
from transactive.trading.devices.schedule import planned
from transactive.trading.devices.stores import PlanHorizon, Stores, batteries, step

NO_LIMIT = 10**9


def column(*values):
    return np.array(values, np.int64)


# -- following a rule -----------------------------------------------------------------------------


@st.composite
def moments(draw):
    """A store of any kind, rules in their order, a held amount, a net load and a limit."""
    most = draw(st.integers(0, 12_000))
    least = draw(st.integers(0, most))
    power, give, drain = (draw(st.one_of(st.just(0), st.integers(0, 9_000))) for _ in range(3))
    gain, efficiency, keep = draw(st.integers(1, 4 * PPM)), draw(st.integers(1, PPM)), draw(st.integers(0, PPM))
    rows = [np.array([[wh]], np.int64) for wh in (power, give, least, most, drain)]
    whole = (column(number) for number in (gain, efficiency, keep, most, 0))
    store = Stores(rows[0], rows[1], rows[2], rows[3], rows[4], *whole)
    levels = np.sort([draw(st.integers(0, most)) for _ in range(4)])[:, None]
    held, net, limit = draw(st.integers(0, most)), draw(st.integers(-9_000, 9_000)), draw(st.integers(0, 9_000))
    return store, levels, held, net, limit


@given(moments())
def test_a_device_keeps_its_power_its_capacity_and_the_limit_and_makes_no_energy(moment):
    store, rule, held, net, limit = moment
    draw, give, after, missed = (int(v[0]) for v in step(rule, store, 0, column(held), column(net), column(limit)))
    gain, efficiency, keep = (int(ppm[0]) for ppm in (store.gain_ppm, store.efficiency_ppm, store.keep_ppm))
    assert 0 <= draw <= store.draw_wh[0, 0]
    assert 0 <= give <= store.give_wh[0, 0]
    assert min(draw, give) == 0
    assert 0 <= after <= store.most_wh[0, 0]
    assert draw == 0 or net + draw <= limit
    left = (held * keep + PPM // 2) // PPM - int(store.drain_wh[0, 0])
    exact = left + draw * gain // PPM - -(-give * PPM // efficiency)
    assert after <= max(exact, 0)
    assert max(exact, 0) - after <= gain // PPM  # the last Wh drawn may gain more than fits
    assert missed == max(int(store.least_wh[0, 0]) - min(exact, int(store.most_wh[0, 0])), 0)


# -- plans ----------------------------------------------------------------------------------------


def homes(count, seed=1, slots=96):
    """Net loads of a day in quarter hours, a time-of-use price and an export price of two fifths of it."""
    draw = np.random.default_rng(seed)
    hour = np.arange(slots) * 24 / slots
    load = (150 + 350 * np.exp(-((hour - 19) ** 2) / 8))[:, None] * draw.uniform(0.3, 2, count)
    sun = (900 * np.exp(-((hour - 12) ** 2) / 10))[:, None] * draw.uniform(0, 1.3, count)
    net = np.rint(load * draw.uniform(0.5, 1.5, (slots, count)) - sun).astype(np.int64)
    price = np.where((hour >= 16) & (hour < 21), 540_000, 210_000)
    need = np.repeat(price[:, None], count, axis=1)
    return draw, net, need, need * 2 // 5


def at_once(stores):
    """The rule of a device that is simply plugged in, or of a battery that rests."""
    full = stores.most_wh.max(axis=0)
    return np.stack((full, full, full, full) if not stores.give_wh.any() else (0 * full, 0 * full, full, full))


def kinds(kind, draw, count, slots=96):
    """Stores of a kind, what they hold at the start, and the price of a Wh that they give after the end."""

    def each(value):
        return np.full(count, value, np.int64)

    if kind == "battery":
        return batteries(Devices(each(0), each(6_400), each(1_250), each(900_000)), slots), each(0), 189_000
    if kind == "vehicle":
        arrival = draw.integers(0, 40, count)
        departure = arrival + draw.integers(20, 57, count)
        needed = draw.integers(3_000, 9_000, count)
        return electric_vehicles(slots, arrival, departure, needed, each(2_750), each(900_000)), each(0), 0
    drain = draw.integers(0, 400, (slots, count))
    performance, rest = (3 * PPM, 70_000) if kind == "heat pump" else (PPM, 190_000)
    return heat_stores(each(900), each(7_000), drain, each(performance), each(996_000)), each(3_000), rest


@pytest.mark.parametrize("limit", [NO_LIMIT, 2_500], ids=("free", "limited"))
@pytest.mark.parametrize("kind", ["battery", "vehicle", "heat pump", "boiler"])
def test_a_plan_loses_at_most_half_a_per_cent_of_the_saving_against_the_linear_program(kind, limit):
    count = 12
    draw, net, need, spare = homes(count)
    stores, held, rest = kinds(kind, draw, count)
    limits = np.full(count, limit)
    plan = planned(stores, PlanHorizon(net[:, None], need, spare, np.full(count, rest), limits), held)

    def cost(drawn, given, left):
        grid = net + drawn - given
        assert (grid <= np.maximum(limit, net)).all()
        return (np.maximum(grid, 0) * need + np.minimum(grid, 0) * spare).sum(axis=0) - rest * left

    ours = cost(plan.draw_wh, plan.give_wh, plan.held_wh[-1] * stores.efficiency_ppm // PPM)
    moves, now = [], held
    for t in range(len(net)):
        drawn, given, now, _ = step(at_once(stores), stores, t, now, net[t], limits)
        moves.append((drawn, given))
    drawn_wh, given_wh = np.array(moves).transpose(1, 0, 2)
    plain = cost(drawn_wh, given_wh, now * stores.efficiency_ppm // PPM)
    best = [
        least_cost_n(stores, i, net[:, i], need[:, i], spare[:, i], rest, int(held[i]), limit) for i in range(count)
    ]
    assert sum(missed for _, missed in best) == pytest.approx(0, abs=1e-6)
    assert plan.missed_wh.sum() == 0  # every trip has its energy, every home its comfort
    least = np.array([cost_n for cost_n, _ in best])
    assert 0 <= (ours - least).sum() <= 0.005 * (plain - least).sum()


@st.composite
def groups(draw):
    """Two devices over some slots: one of any kind, and one that has everything a device can have."""
    random, slots = np.random.default_rng(draw(st.integers(0, 2**32 - 1))), draw(st.integers(1, 12))
    has = {name: draw(st.booleans()) for name in ("gives", "gains", "needs", "leaks", "limited")}

    def column(low, high, *, own):
        return np.array([random.integers(low, high) if own else low, random.integers(low + 1, high)])

    def rows(low, high, *, own):
        return np.stack([column(low, high, own=own) for _ in range(slots)])

    most = np.repeat(column(1, 12_000, own=True)[None], slots, axis=0)
    stores = Stores(
        draw_wh=rows(0, 3_000, own=True),
        give_wh=rows(0, 3_000, own=has["gives"]),
        least_wh=rows(0, 2_000, own=has["needs"]) * (most > 2_000),
        most_wh=most,
        drain_wh=rows(0, 500, own=has["needs"]),
        gain_ppm=column(PPM, 4 * PPM, own=has["gains"]),
        efficiency_ppm=column(PPM // 2, PPM, own=has["gives"]),
        keep_ppm=np.array([PPM - 1_000 * has["leaks"], PPM - 1_000]),
        grid_fill_wh=np.where(random.integers(0, 2, 2) > 0, most[0], 0),
        grid_give_wh=np.where(random.integers(0, 2, 2) > 0, most[0], 0),
    )
    net = random.integers(-4_000, 4_000, (slots, 3, 2))
    spare = random.integers(-50_000, 300_000, (slots, 2))
    need = spare + random.integers(0, 200_000, (slots, 2))
    limit = np.array([2_000 if has["limited"] else NO_LIMIT, 2_000])
    return stores, PlanHorizon(net, need, spare, random.integers(0, 300_000, 2), limit)


@given(groups())
def test_what_a_neighbour_has_does_not_change_a_devices_plan(group):
    """What no device of a group has is not computed; beside one that has everything the same must come out."""
    stores, ahead = group
    slots = len(ahead.need_price)
    together, worths = by_columns(stores, ahead, LEVELS, slots)
    for which in (slice(0, 1), slice(1, 2)):
        alone, worth = by_columns(stores.part(which), ahead.part(which), LEVELS, slots)
        assert (alone == together[:, :, which]).all()
        assert (worth == worths[:, :, which]).all()


@pytest.fixture
def untranslated(monkeypatch):
    """The loop that numba translates, run as it is written: the same numbers without the seconds of its translation."""
    monkeypatch.setattr("numba.config.DISABLE_JIT", True)
    return backward.__wrapped__()


@pytest.mark.parametrize("kind", ["battery", "vehicle", "heat pump"])
def test_a_plan_number_by_number_is_the_same_to_the_wh(kind, untranslated):
    same_plans(kind, untranslated, slots=12)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["battery", "vehicle", "heat pump"])
def test_a_compiled_plan_of_any_device_is_the_same_to_the_wh(kind):
    same_plans(kind, backward(), slots=90)


def same_plans(kind, way, slots):
    count = 12
    draw, net, need, spare = homes(count)
    stores, _, rest = kinds(kind, draw, count)
    ahead = PlanHorizon(net[:, None], need, spare, np.full(count, rest), np.full(count, 2_500))
    for plain, found in zip(by_columns(stores, ahead, 24, slots), way(stores, ahead, 24, slots), strict=True):
        assert (plain == found).all()


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1))
def test_a_vehicle_charges_only_while_it_is_there_and_leaves_with_what_it_needs_if_that_can_be(seed):
    draw, net, need, spare = homes(4, seed)
    arrival = draw.integers(0, 90, 4)
    departure = np.minimum(arrival + draw.integers(1, 40, 4), 96)
    needed = draw.integers(1, 20_000, 4)
    power = draw.integers(1, 3_000, 4)
    limit = np.full(4, 3_500)
    vehicles = electric_vehicles(96, arrival, departure, needed, power, np.full(4, 930_000))
    plan = planned(vehicles, PlanHorizon(net[:, None], need, spare, 0 * needed, limit), 0 * needed)
    slot = np.arange(96)[:, None]
    here = (slot >= arrival) & (slot < departure)
    assert (plan.draw_wh[~here] == 0).all()
    possible = np.minimum(power, np.maximum(limit - net, 0)) * here
    reached = (possible * 930_000 // PPM).sum(axis=0)
    held, rounded = plan.held_wh[departure - 1, np.arange(4)], departure - arrival  # a part of a Wh in each slot
    assert (held <= needed).all()
    assert (held >= np.minimum(reached - rounded, needed)).all()
    assert (plan.missed_wh.sum(axis=0) == needed - held).all()


def test_what_a_held_wh_is_worth_is_what_the_coming_price_says():
    """Two slots, a dear one after a cheap one: a held Wh saves 0.9 Wh of the dear price, until the need is covered."""
    store = batteries(Devices(column(0), column(6_400), column(1_000), column(900_000)), 2)
    net, need = np.full((2, 1, 1), 500), np.array([[200_000], [500_000]])
    ahead = PlanHorizon(net, need, 0 * need, column(0), column(NO_LIMIT))
    free, slow = (
        planned(store, ahead, column(0)),
        planned(replace(store, draw_wh=np.full((2, 1), 300)), ahead, column(0)),
    )
    assert free.draw_wh[:, 0].tolist() == [600, 0]  # the step in which the need ends, 555 Wh, is filled
    assert free.give_wh[:, 0].tolist() == [0, 500]
    assert slow.draw_wh[0, 0] == 300
    assert (slow.worth[0, 0], free.worth[0, 0]) == (450_000, 0)


def test_a_warm_house_is_heated_before_the_dear_hours_and_never_leaves_its_band():
    _, net, need, spare = homes(1)
    house = heat_stores(column(1_000), column(6_000), np.full((96, 1), 300), column(3 * PPM), column(995_000))
    plan = planned(house, PlanHorizon(net[:, None], need, spare, column(70_000), column(NO_LIMIT)), column(3_000))
    dear = need[:, 0] == 540_000
    assert plan.missed_wh.sum() == 0
    assert plan.draw_wh[dear].sum() < plan.draw_wh[~dear].sum() * dear.sum() / (~dear).sum() / 2
    assert plan.held_wh.max() <= 6_000


def test_a_trip_that_no_slot_is_left_for_is_refused():
    with pytest.raises(InputError, match="vehicle 1: arrival 5, departure 4"):
        electric_vehicles(8, column(0, 5), column(4, 4), column(1, 1), column(1, 1), column(PPM, PPM))


# -- appliances -----------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_an_appliance_starts_where_no_other_start_costs_less_and_the_limit_holds_if_it_can(seed):
    draw = np.random.default_rng(seed)
    net, need = draw.integers(-2_000, 2_000, (12, 1, 3)), draw.integers(0, 500_000, (12, 3))
    spare = need // 2
    profile, limit = draw.integers(0, 2_000, 3), 2_500
    starts, costs = best_start(profile, PlanHorizon(net, need, spare, column(0, 0, 0), np.full(3, limit)), 2, 8)
    for home, start in enumerate(starts.tolist()):

        def cost(drawn, home=home):
            grid = net[:, 0, home] + drawn
            over = np.maximum(grid - limit, 0).sum() - np.maximum(net[:, 0, home] - limit, 0).sum()
            return int(over), int((np.maximum(grid, 0) * need[:, home] + np.minimum(grid, 0) * spare[:, home]).sum())

        runs = {begin: cost(np.pad(profile, (begin, 9 - begin))) for begin in range(2, 9)}
        assert costs[:, home].tolist() == [runs[begin][1] - cost(0 * need[:, 0])[1] for begin in runs]
        assert runs[start] == min(runs.values())


def test_a_run_that_does_not_fit_is_refused():
    ahead = PlanHorizon(np.zeros((4, 1, 1), np.int64), *(np.zeros((4, 1), np.int64),) * 2, column(0), column(1))
    with pytest.raises(InputError, match="a run of 3 slots must fit in 4"):
        best_start(column(1, 1, 1), ahead, 0, 2)


def test_perfect_foresight_does_not_draw_and_give_at_once():
    """A full battery at a price below zero: by drawing and giving at once it would throw energy away, and be paid."""
    store = batteries(Devices(*(np.array([wh]) for wh in (0, 1_000, 1_000, 900_000))), 2)
    net, price = np.array([300, 300]), np.array([-100_000, 200_000])
    cost_n, missed_wh = least_cost_n(store, 0, net, price, price, 0, 1_000, NO_LIMIT)
    assert cost_n == pytest.approx(-300 * 100_000 + (300 - 900) * 200_000)
    assert missed_wh == pytest.approx(0, abs=1e-6)
