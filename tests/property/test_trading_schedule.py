"""Planning anew in every slot: the limit at the connection, whole Wh, and nothing beyond what was known."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import batteries, whole
from transactive.core.community.members import Devices
from transactive.core.tables import DeviceRules, Forecast
from transactive.core.units import PPM
from transactive.forecasting.day_so_far import samples_so_far
from transactive.studies.battery import Recorded, foreseen, run, scheduled, simple_rule, without_control
from transactive.trading.devices.follow import follow
from transactive.trading.devices.plan import EVERY, plan
from transactive.trading.devices.schedule import rules_now
from transactive.trading.devices.stores import PlanHorizon, step
from transactive.trading.devices.stores import batteries as stores_of

NET = st.one_of(st.just(0), st.integers(-20, 20), st.integers(-15_000, 15_000))
NO_LIMIT = 10**9


@st.composite
def moments(draw):
    """Devices, a rule, charges, net loads and limits."""
    members = draw(st.integers(1, 4))
    devices = draw(batteries(members))
    levels = np.sort([[draw(st.integers(0, int(c))) for c in devices.capacity_wh] for _ in range(4)], axis=0)
    charged = np.array([draw(st.integers(0, int(c))) for c in devices.capacity_wh], np.int64)
    net, most = (np.array([draw(wh) for _ in range(members)], np.int64) for wh in (NET, st.integers(0, 9_000)))
    return devices, levels.astype(np.int64), charged, net, most


@given(moments())
def test_a_battery_keeps_its_power_its_capacity_and_the_limit_and_counts_every_wh(moment):
    devices, rule, charged, net, most = moment
    charge, discharge, after, _ = step(rule, stores_of(devices, 1), 0, charged, net, most)
    assert (np.minimum(charge, discharge) == 0).all()
    for energy in (charge, discharge):
        assert ((energy >= 0) & (energy <= devices.power_wh)).all()
        assert energy.dtype == np.int64
    assert ((after >= 0) & (after <= devices.capacity_wh)).all()
    lost = [-(-d * PPM // e) for d, e in zip(discharge.tolist(), devices.efficiency_ppm.tolist(), strict=True)]
    assert (after == charged + charge - lost).all()
    grid = net + charge - discharge
    spent = (discharge == devices.power_wh) | (devices.deliverable_wh(after) == 0)
    assert ((grid <= most) | ((charge == 0) & spent)).all()  # beyond it only what no charge can help


@given(moments())
def test_without_a_limit_a_rule_is_followed_as_everywhere(moment):
    devices, rule, charged, net, _ = moment
    free = np.full_like(net, NO_LIMIT)
    within = step(rule, stores_of(devices, 1), 0, charged, net, free)
    for ours, plain in zip(within, follow(DeviceRules(0, *rule), devices, charged, net), strict=False):
        assert (ours == plain).all()


@st.composite
def tasks(draw):
    members, samples, slots = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(1, 5))
    devices = draw(batteries(members))
    net = np.array([draw(NET) for _ in range(slots * samples * members)], np.int64).reshape(slots, samples, members)
    spare = np.array([draw(st.integers(-100_000, 300_000)) for _ in range(slots)], np.int64)
    need = spare + np.array([draw(st.integers(0, 300_000)) for _ in range(slots)], np.int64)
    return devices, net, need, spare, draw(st.integers(-5_000, 300_000))


@given(tasks())
def test_without_a_limit_the_rule_of_now_is_that_of_a_communitys_plan(task):
    devices, net, need, spare, rest = task
    plans = net.shape[2]
    forecast = Forecast(np.arange(len(need)) * 3600, 0, np.repeat(net, EVERY, axis=1))  # it weighs every fourth sample
    expected = plan(forecast, devices, need, spare, rest)[0]
    needs, spares = (np.repeat(price[:, None], plans, axis=1) for price in (need, spare))
    ahead = PlanHorizon(net, needs, spares, np.full(plans, rest), np.full(plans, NO_LIMIT))
    assert DeviceRules(0, *rules_now(ahead, devices)).digest() == expected.digest()


def test_charge_is_kept_for_a_load_above_the_limit_that_is_likely_enough():
    """A dear slot now, an even price later; one day in four the home then needs 2,000 Wh more than the limit."""
    devices = Devices(whole(0), whole(3_200), whole(3_000), whole(PPM))
    net = np.array([[[500]] * 4, [[500], [500], [500], [5_000]]], np.int64)
    for most, keeps in ((NO_LIMIT, 0), (3_000, 2_000)):
        need, spare = np.array([[500_000], [200_000]]), np.zeros((2, 1), np.int64)
        ahead = PlanHorizon(net, need, spare, whole(100_000), whole(most))
        _, _, serve_down_to, _ = rules_now(ahead, devices)[:, 0]
        assert serve_down_to == keeps


# -- recorded days --------------------------------------------------------------------------------


def recorded(seed, *, limit, days=20, initial=1_000):
    """Two homes with sun and an evening peak, hourly, under a time-of-use price."""
    draw = np.random.default_rng(seed)
    hour = np.arange(days * 24) % 24
    used = (300 + 900 * np.exp(-((hour - 19) ** 2) / 6))[:, None] * draw.uniform(0.5, 2, (len(hour), 2))
    sun = (3_000 * np.exp(-((hour - 12) ** 2) / 8))[:, None] * draw.uniform(0.2, 1, (days, 2)).repeat(24, axis=0)
    need = np.where((hour >= 16) & (hour < 21), 540_000, 210_000)
    devices = Devices(*(np.full(2, value) for value in (0, 6_400, 5_000, 900_000)))
    load, pv = (np.rint(wh).astype(np.int64) for wh in (used, sun))
    return Recorded(0, 3_600, load, pv, need, np.full(len(hour), 80_000), devices, initial, limit)


TESTED = range(17 * 24, 20 * 24)


def quiet(_):
    """Say nothing."""


def test_nothing_costs_less_than_perfect_foresight_and_planning_is_worth_it():
    for limit in (NO_LIMIT, 1_500):
        days = recorded(1, limit=limit)
        idle, simple = without_control(days, TESTED), simple_rule(days, TESTED)
        planned, best = scheduled(days, TESTED, quiet), foreseen(days, TESTED, quiet)
        for way in (idle, simple, planned):
            assert (way.over_wh >= best.over_wh - 1).all()
            assert ((way.cost_n >= best.cost_n - 1) | (way.over_wh > best.over_wh)).all()
        assert planned.cost_n.sum() < simple.cost_n.sum() < idle.cost_n.sum()
        assert planned.over_wh.sum() <= idle.over_wh.sum()


def test_who_knows_the_future_comes_within_half_a_per_cent_of_the_linear_program():
    days = recorded(2, limit=4_000)
    horizon, members = len(TESTED), 2
    rows = slice(TESTED.start, TESTED.stop)
    need, spare = (np.repeat(p[rows, None], members, axis=1) for p in (days.need_price, days.spare_price))
    net, rest, most = days.net_load_wh[rows, None], np.full(members, 210_000), np.full(members, 4_000)
    rules = [rules_now(PlanHorizon(net[t:], need[t:], spare[t:], rest, most), days.devices) for t in range(horizon)]
    kept, best = run(days, TESTED, lambda t: rules[t - TESTED.start]), foreseen(days, TESTED, quiet)
    possible = (without_control(days, TESTED).cost_n - best.cost_n).sum()
    assert 0 <= (kept.cost_n - best.cost_n).sum() <= 0.005 * possible


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.sampled_from((900, 3_600)))
def test_a_forecast_of_the_day_so_far_looks_at_nothing_later_than_its_issue(seed, length):
    draw = np.random.default_rng(seed)
    per_day = 86_400 // length
    load, pv = draw.integers(0, 3_000, (2, 6 * per_day, 2))
    issued = np.array([4 * per_day + int(draw.integers(per_day))])
    first = samples_so_far(load, pv, length, issued, per_day)
    load[issued[0] :], pv[issued[0] :] = 10**9, 10**9
    assert (samples_so_far(load, pv, length, issued, per_day) == first).all()


def test_when_today_is_like_every_day_its_samples_are_those_days():
    day = np.arange(24)[:, None] * 100
    load, pv = np.tile(day, (16, 1)), np.tile(day[::-1] // 2, (16, 1))
    samples = samples_so_far(load, pv, 3_600, np.array([15 * 24 + 5, 15 * 24 + 6]), 24)
    assert samples.shape == (24, 14, 2, 1)
    for issue, row in enumerate((5, 6)):
        assert (samples[:, :, issue, 0] == np.roll(day - day[::-1] // 2, -row, axis=0)).all()


def test_a_home_that_uses_more_today_is_expected_to_go_on_for_a_while():
    load = np.full((20 * 24, 1), 1_000)
    load[-3:] = 2_000
    samples = samples_so_far(load, np.zeros_like(load), 3_600, np.array([20 * 24]), 24)[:, 0, 0, 0]
    assert samples[0] == 1_500
    assert (np.diff(samples[:21]) < 0).all()
    assert samples[20] == round(1_000 + 500 * 0.9**20)


def test_a_pv_under_clouds_is_expected_to_stay_below_the_past_days_and_never_far_above_them():
    sun = np.tile(np.maximum(0, 3_000 - 500 * np.abs(np.arange(24) - 12)), 20)[:, None]
    known = 20 * 24 - 12  # noon of the last day
    clouds, glare = sun.copy(), sun.copy()
    clouds[known - 3 : known] //= 2
    glare[known - 3 : known] *= 2
    ratio = (3_000 + 210) / (6_000 + 210)  # nine to eleven o'clock: 1,500 + 2,000 + 2,500
    for now, noon, three in ((clouds, round(3_000 * ratio), round(1_500 * ratio**0.9**3)), (glare, 3_150, 1_575)):
        samples = samples_so_far(np.zeros_like(sun), now[:known], 3_600, np.array([known]), 4)[:, :, 0, 0]
        assert (samples[0] == -noon).all()
        assert (samples[3] == -three).all()
