"""Monitors of forecasts: quiet while they are right, and quick when they are not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.forecasting.conformance import START, random_series
from transactive.forecasting.evaluation.contest import Rhythm, compared, followed
from transactive.forecasting.evaluation.monitor import LIMIT, Monitor, TargetDay, judged, pit
from transactive.forecasting.models.baselines import Empirical, last_day
from transactive.forecasting.series import History

QUANTILES = np.array([[10.0, 20.0, 30.0, 40.0, 50.0]])


@pytest.mark.parametrize(
    ("came", "place"), [(5, 0.025), (15, 0.15), (25, 0.375), (30, 0.5), (35, 0.625), (45, 0.85), (60, 0.975)]
)
def test_a_place_in_the_distribution_is_the_middle_of_the_levels_around_it(came, place):
    assert pit(QUANTILES, np.array([came]))[0] == pytest.approx(place)


def test_what_equals_several_quantiles_lies_between_all_of_them():
    assert pit(np.array([[0.0, 0.0, 0.0, 4.0, 9.0]]), np.array([0.0]))[0] == pytest.approx((0 + 0.75) / 2)


@given(st.integers(0, 2**31), st.integers(1, 400))
def test_right_forecasts_have_a_mean_place_of_one_half_and_cover_nine_tenths(seed, scale):
    drawn = np.random.default_rng(seed).random((4000, 1)) * scale
    levels = np.broadcast_to(np.array([0.05, 0.25, 0.5, 0.75, 0.95]) * scale, (4000, 1, 5))
    day = judged(levels, drawn)
    assert day is not None
    assert abs(day.pit - 0.5) < 0.03
    assert abs(day.inside / day.counted - 0.9) < 0.03


def test_gaps_and_what_was_certain_do_not_count():
    values = np.zeros((3, 1, 5))
    values[2] = QUANTILES
    day = judged(values, np.array([[0.0], [np.nan], [25.0]]))
    assert day is not None
    assert (day.inside, day.counted, day.pit) == (1, 1, 0.375)
    assert day.pinball == pytest.approx(judged_loss() / 2)
    assert judged(values, np.full((3, 1), np.nan)) is None


def judged_loss():
    levels, miss = np.array([0.05, 0.25, 0.5, 0.75, 0.95]), 25 - QUANTILES[0]
    return np.maximum(levels * miss, (levels - 1) * miss).mean()


def days(places, inside=90):
    return [TargetDay(inside, 100, place, 1.0) for place in places]


def usual(count, seed=1):
    return days(np.random.default_rng(seed).normal(0.5, 0.04, count).tolist())


def run(monitor, more):
    for number, day in enumerate(more):
        monitor = monitor.after(day)
        if monitor.alarm:
            return number, monitor
    return None, monitor


def test_a_year_of_usual_days_raises_no_alarm():
    assert run(Monitor.of(usual(28)), usual(365, seed=2))[0] is None


def test_a_shift_of_three_deviations_is_found_within_a_week_and_named():
    number, monitor = run(Monitor.of(usual(28)), usual(20, seed=2) + days([0.62] * 10))
    assert 20 < number <= 24
    assert "above the forecasts" in monitor.alarm
    assert monitor.up > LIMIT


def test_a_week_outside_its_interval_is_found_though_it_is_centred():
    number, monitor = run(Monitor.of(usual(28)), days([0.5] * 10, inside=60))
    assert number == 6
    assert "60% of the last week inside" in monitor.alarm


def test_a_target_that_drifts_raises_no_second_alarm_and_is_well_after_a_good_week():
    monitor = Monitor.of(usual(28), drifting=True)
    for day in days([0.9] * 7, inside=20):
        monitor = monitor.after(day)
        assert monitor.alarm is None
    assert not monitor.well
    for day in usual(7):
        monitor = monitor.after(day)
    assert monitor.well


def history(poison=None):
    values = random_series(np.random.default_rng(3), 60 * 24, 24)
    if poison is not None:
        values[poison:] = 1e9
    return History(START, 3600, values)


def test_following_a_model_through_past_days_never_looks_beyond_them():
    first = range(40 * 24, 50 * 24, 24)
    one, two = (followed(Empirical(), h, first, Rhythm(1, 24)) for h in (history(), history(50 * 24)))
    assert one.days == two.days
    assert np.array_equal(one.tracker.shift, two.tracker.shift)


def test_four_issues_a_day_are_judged_as_one_day():
    record = followed(Empirical(), history(), range(40 * 24, 50 * 24, 24), Rhythm(1, 1, issues=4))
    assert [day.counted for day in record.days] == [8] * 10


def test_the_better_forecast_wins_the_paired_test_and_the_other_does_not():
    first = range(40 * 24, 60 * 24, 24)
    good, bad = (followed(recipe, history(), first, Rhythm(1, 24)) for recipe in (Empirical(), last_day()))
    assert compared(good, bad, "last-day").won
    assert not compared(bad, good, "empirical").won
    assert not compared(good, good, "itself").won


def test_days_without_a_reading_cannot_test_anything():
    values = history().values.copy()
    values[50 * 24 :] = np.nan
    with pytest.raises(DataError, match="nothing was measured on the days of the test"):
        followed(Empirical(), History(START, 3600, values), range(50 * 24, 60 * 24, 24), Rhythm(1, 24))
