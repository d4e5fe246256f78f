"""What members are told of their own meters: found where it is, and nothing where it is not."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.engine.daily.advice import Outdoors
from transactive.insight.advice import bill, change, charging, cheapest, temperature, words
from transactive.insight.advice.always_on import always_on_wh, share_ppm
from transactive.insight.advice.saved import Sums, saved_by

HOUR, DAY = 3_600, 24
NANO = 10**9


# -- always on ------------------------------------------------------------------------------------


def test_what_is_always_on_is_the_median_of_the_lowest_slots_of_the_last_four_weeks():
    draw = np.random.default_rng(1)
    consumption = 300 + draw.integers(0, 2_000, (60 * DAY, 2))
    consumption[::DAY, 0] = 200  # every night at midnight
    consumption[: 30 * DAY, 1] = 0  # long ago, and no longer
    consumption[30 * DAY :: DAY, 1] = 150
    assert always_on_wh(consumption, DAY).tolist() == [200, 150]
    assert share_ppm(np.array([200, 0]), np.array([800, 0])).tolist() == [250_000, 0]
    with pytest.raises(ValueError, match="whole day"):
        always_on_wh(consumption[:5], DAY)


# -- temperature ----------------------------------------------------------------------------------


def year(seed: int = 3) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return 15 + 9 * np.sin(np.arange(365) / 58) + draw.normal(0, 2, 365)


def test_heating_and_cooling_are_found_with_their_slopes_and_from_where_they_begin():
    outdoors, draw = year(), np.random.default_rng(4)
    base = 9_000 + draw.normal(0, 1_500, (365, 3))
    heating = 1_200 * np.maximum(14 - outdoors, 0)
    cooling = 1_500 * np.maximum(outdoors - 20, 0)
    energy = (base + np.column_stack([heating, cooling, heating + cooling])).astype(np.int64)
    found = temperature.regimes(energy, outdoors)
    assert found is not None
    assert found.heat_wh_per_k == pytest.approx([1_200, 0, 1_200], rel=0.1)
    assert found.cool_wh_per_k == pytest.approx([0, 1_500, 1_500], rel=0.1)
    assert found.heat_from[[0, 2]] == pytest.approx(14, abs=1)
    assert found.cool_from[[1, 2]] == pytest.approx(20, abs=1)
    assert found.heating_wh(outdoors)[:, 0].sum() == pytest.approx(heating.sum(), rel=0.05)
    assert (found.explained > 0.5).all()


def test_energy_that_does_not_follow_the_temperature_gets_neither():
    noise = np.random.default_rng(5).gamma(2, 5_000, (365, 50)).astype(np.int64)
    found = temperature.regimes(noise, year())
    assert found is not None
    assert not found.heat_wh_per_k.any()
    assert not found.cool_wh_per_k.any()
    told = words.of_temperature(found, 0, (np.zeros(50, int), np.zeros(50, int)), 365)
    assert "does not follow" in told.title
    assert told.figures == {"heating_ppm": 0, "cooling_ppm": 0, "heat_wh_per_k_day": 0, "cool_wh_per_k_day": 0}


def test_with_few_or_equal_days_nothing_is_said_of_temperature():
    assert temperature.regimes(np.ones((100, 1), np.int64), year()[:100]) is None
    assert temperature.regimes(np.ones((365, 1), np.int64), np.full(365, 20.0)) is None
    told = words.of_temperature(None, 0, (np.zeros(1, int), np.zeros(1, int)), 0)
    assert "cannot be told" in told.title
    assert told.figures == {}


def test_the_parts_of_heating_and_cooling_are_those_of_each_member_alone():
    outdoors, draw = year(), np.random.default_rng(4)
    heating = 1_200 * np.maximum(14 - outdoors, 0)
    energy = (9_000 + draw.normal(0, 1_500, (365, 3)) + np.outer(heating, (0, 1, 2))).astype(np.int64)
    found = temperature.regimes(energy, outdoors)
    assert found is not None
    heats, cools = Outdoors(energy, outdoors, found).parts_ppm()
    for member in range(3):
        part = int(found.heating_wh(outdoors)[:, member].sum()) * 10**6 // int(energy[:, member].sum())
        assert (heats[member], cools[member]) == (part, 0)
    assert heats[0] < heats[1] < heats[2]
    assert [part.tolist() for part in Outdoors(energy, outdoors, None).parts_ppm()] == [[0, 0, 0]] * 2


# -- a car ----------------------------------------------------------------------------------------


def home(days: int = 60) -> np.ndarray:
    return np.random.default_rng(6).integers(200, 900, days * DAY)


def test_a_car_is_found_by_its_sessions():
    with_car, without, cooking = home(), home(), home()
    for day in range(0, 60, 3):
        with_car[day * DAY + 19 : day * DAY + 22] += [6_000, 6_600, 3_000]
        cooking[day * DAY + 19] += 4_000  # strong, and too short for a car
    found = charging.charging(np.column_stack([with_car, without, cooking]), HOUR)
    assert found[1:] == [None, None]
    car = found[0]
    assert car is not None
    assert car.sessions in (18, 19)
    assert car.energy_wh == pytest.approx(15_600, abs=800)
    assert car.power_w == pytest.approx(6_600, abs=500)
    told = words.of_car(car)
    assert "probably" in told.title
    assert told.figures["sessions"] == car.sessions


def test_blocks_of_every_power_are_no_car_and_with_few_days_nothing_is_said():
    many = home()
    for day, power in zip(range(0, 60, 3), range(3_500, 23_500, 1_000), strict=True):
        many[day * DAY + 18 : day * DAY + 21] += power
    assert charging.charging(many[:, None], HOUR) == [None]
    assert charging.charging(home(50)[:, None], HOUR) == [None]


# -- cheapest hours, bill, change -----------------------------------------------------------------


@given(st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=40), st.data())
def test_no_stretch_is_cheaper_than_the_cheapest_or_dearer_than_the_dearest(prices, data):
    width = data.draw(st.integers(1, len(prices)))
    low = cheapest.window(np.array(prices), width)
    high = cheapest.window(np.array(prices), width, dearest=True)
    twice = [*prices, *prices]
    sums = [sum(twice[k : k + width]) for k in range(len(prices))]
    assert sums[low.first] == min(sums)
    assert sums[high.first] == max(sums)
    assert low.price == min(sums) // width


def test_a_price_is_expected_to_be_the_median_of_its_time_of_day():
    days = np.array([[10, 100], [20, 300], [90, 200]])
    assert cheapest.expected_prices(days.ravel(), 2, 5).tolist() == [20, 200, 20, 200, 20]


def test_a_bill_is_carried_on_with_an_interval_that_held_before():
    draw = np.random.default_rng(7)
    past = (2 * NANO + draw.normal(0, NANO / 2, (200, 4))).astype(np.int64)
    scale = np.full_like(past, 3 * NANO)
    expected = bill.expected_bill(past[-28:], scale[-28:], past[:-28], scale[:-28], 30)
    assert expected is not None
    assert expected.mean_n == pytest.approx(60 * NANO, rel=0.1)
    assert (expected.low_n < expected.mean_n).all()
    assert (expected.mean_n - expected.low_n < 12 * NANO).all(), "thirty such days add up to about three"
    assert bill.expected_bill(past[-6:], scale[-6:], past, scale, 30) is None
    assert bill.expected_bill(past[-28:], scale[-28:], past[:60], scale[:60], 30) is None
    told = words.of_bill(expected, 0, "EUR", 28, 200)
    assert told.figures["mean_n"] == int(expected.mean_n[0])


def test_a_home_that_never_earned_is_not_told_that_it_may():
    past = np.repeat(
        np.tile([[8 * NANO], [NANO // 2]], (3, 2)), 40, axis=0
    )  # months that cost much, and that cost little
    past[:40, 1] = -NANO  # the second home earned for a while
    scale = np.full_like(past, 9 * NANO)
    expected = bill.expected_bill(past[-28:], scale[-28:], past, scale, 30)
    assert expected is not None
    assert expected.low_n[0] == 0
    assert expected.low_n[1] < 0


def test_why_a_bill_cannot_be_foreseen_yet_says_what_is_there_and_what_it_takes():
    past = np.full((bill.days_needed(30), 1), NANO)
    assert bill.expected_bill(past[-7:], past[-7:], past, past, 30) is not None
    assert bill.expected_bill(past[-7:], past[-7:], past[1:], past[1:], 30) is None
    told = words.of_bill(None, 0, "EUR", 7, 32)
    assert told.text == "It takes 7 days of bills and 67 days of readings; there are 7 and 32."


def test_the_change_that_saves_most_is_told_and_one_that_saves_nothing_is_not():
    low, high = cheapest.Window(9, 3, 60_000), cheapest.Window(17, 3, 540_000)
    moved = change.shift(high, low, ("in the evening", "at noon"))
    assert moved.saved_n == 480_000 * 1_000 * 30
    idle = change.idle_less(350, 24, 300_000)
    assert idle.saved_n == 350 * 24 * 30 // 10 * 300_000
    cold = change.kelvin_less(4_000, 20, 300_000, heats=True)
    assert cold.saved_n == 4_000 * 20 * 300_000
    assert change.best([moved, idle, cold]) is cold
    assert change.best([change.idle_less(0, 24, 300_000), change.shift(low, low, ("", ""))]) is None
    assert "stands out" in words.of_change(None, "EUR").title


# -- what was saved -------------------------------------------------------------------------------


@given(st.builds(Sums, **dict.fromkeys(Sums.__slots__, st.integers(-(10**12), 10**12))))
def test_the_reasons_of_a_saving_sum_to_it(sums):
    assert sum(line.amount_n for line in saved_by(sums)) == sums.alone_n - sums.paid_n
    assert len(astuple(sums)) == len(Sums.__slots__)
