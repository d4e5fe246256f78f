"""Scores, calibration and the choice of a champion, by hand and by rule."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.forecasting.evaluation.backtest import Forecasts, bottom_up, champion, replay, truth
from transactive.forecasting.evaluation.champion import choose, mixed
from transactive.forecasting.evaluation.conformal import Tracker
from transactive.forecasting.evaluation.issue_plan import IssuePlan
from transactive.forecasting.evaluation.scores import (
    coverage,
    daily,
    diebold_mariano,
    mean,
    naive_scale,
    pinball,
    two_sided,
)
from transactive.forecasting.models.baselines import Empirical, last_day
from transactive.forecasting.models.lear import Lear
from transactive.forecasting.registry import Forecaster
from transactive.forecasting.series import LEVELS, History, Quantiles


def flat(*values):
    """One issue of one slot and one member."""
    return np.array(values, np.float64)[None, None, None]


def test_pinball_by_hand():
    loss = pinball(flat(0, 10, 20, 30, 40), np.array([[[25.0]]]))
    assert loss.item() == pytest.approx((0.05 * 25 + 0.25 * 15 + 0.5 * 5 + 0.25 * 5 + 0.05 * 15) / 5)


def test_coverage_leaves_out_what_was_certain_and_what_was_not_measured():
    values = np.array([[0, 0, 0, 0, 0], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 0, 0, 0, 0]], np.float64)
    came = np.array([0, 2, 9, np.nan, 5])
    assert coverage(values[None, :, None], came[None, :, None]).tolist() == [1 / 3]
    assert np.isnan(coverage(values[None, :1, None], came[None, :1, None])).all()


def test_mase_divides_by_the_change_from_a_day_before():
    assert naive_scale(np.array([[1.0], [2], [4], [np.nan], [9]]), 2).tolist() == [4.0]


def test_daily_losses_are_means_over_the_issues_of_a_day():
    loss = np.array([[[1.0]], [[3]], [[np.nan]], [[5]]])
    assert daily(loss, np.array([0, 0, 1, 2])).tolist() == [2, 5]


def test_diebold_mariano_by_hand():
    statistic, p = diebold_mariano(np.array([2.0, 4, 6]), np.array([1.0, 2, 3]))  # differences 1, 2, 3 of variance 2/3
    assert statistic == pytest.approx(2 / (2 / 9) ** 0.5)
    assert p == pytest.approx(0.0513, abs=1e-4)
    assert diebold_mariano(np.array([1.0, 2, 3]), np.array([2.0, 4, 6]))[0] == -statistic
    assert diebold_mariano(np.ones(9), np.ones(9)) == (0.0, 1.0)
    assert diebold_mariano(np.empty(0), np.empty(0)) == (0.0, 1.0)


def test_days_that_go_together_count_less():
    draw = np.random.default_rng(1)
    alone = draw.normal(0.3, 1, 60)
    in_runs = np.repeat(alone[::3], 3)
    shuffled = in_runs[draw.permutation(60)]
    zero = np.zeros(60)
    assert diebold_mariano(in_runs, zero)[1] > diebold_mariano(shuffled, zero)[1]


def test_a_bad_interval_is_repaired_member_by_member():
    draw = np.random.default_rng(1)
    tracker, inside = Tracker.of(3), []
    for day in range(200):
        narrow = Quantiles(np.broadcast_to([600.0, 700, 750, 800, 900], (24, 3, 5)), np.full((24, 3), 750.0))
        moved = tracker.moved(narrow, 0.0).checked(24, 3)
        came = draw.gamma(2.0, 400.0, (24, 3)) * [1, 0.5, 2]
        tracker.learn(moved, came)
        if day >= 60:
            inside.append(((came >= moved.values[:, :, 0]) & (came <= moved.values[:, :, -1])).mean(axis=0))
    assert (np.abs(np.mean(inside, axis=0) - 0.9) < 0.02).all()


def test_gaps_and_certain_slots_move_nothing():
    tracker = Tracker.of(1)
    sure = Quantiles(np.zeros((2, 1, 5)), np.zeros((2, 1)))
    tracker.learn(sure, np.array([[5.0], [np.nan]]))
    assert not tracker.shift.any()


@given(st.integers(0, 2**31))
def test_no_champion_is_worse_than_the_best_candidate_on_the_days_that_decide(seed):
    draw = np.random.default_rng(seed)
    came = draw.normal(0, 1, (5, 3, 2))
    candidates = {str(k): np.sort(draw.normal(0, 1, (5, 3, 2, 5)), axis=-1) for k in range(4)}
    mix = choose(candidates, came)
    parts = {name: Quantiles(values[0], values[0, ..., 2]) for name, values in candidates.items()}
    mixed(mix, parts).checked(3, 2)
    total = np.sum([candidates[name] * count for name, count in mix.items()], axis=0) / sum(mix.values())
    assert mean(pinball(total, came)) <= min(mean(pinball(v, came)) for v in candidates.values()) + 1e-12


def test_a_sum_has_the_mean_of_its_members_and_the_quantiles_of_its_own_errors():
    forecasts = Forecasts(np.zeros((4, 2, 3, 5)), np.ones((4, 2, 3)))
    came = np.array([3.0, 5, 5, 5])[:, None, None] * np.ones((4, 2, 1))
    total = bottom_up(forecasts, came, 1, 0.0)
    assert total.mean.tolist() == np.full((4, 2, 1), 3.0).tolist()
    assert total.values[1, 0, 0].tolist() == [3] * len(LEVELS)
    assert total.values[3, 0, 0].max() == 5


PLAN = IssuePlan(range(60 * 24, 80 * 24, 24), 10, 7, 5)
RECIPES: dict[str, Forecaster] = {"empirical": Empirical(), "last-day": last_day(), "linear": Lear()}


@pytest.mark.parametrize("poisoned", [62, 70, 75])
def test_what_comes_after_an_issue_changes_no_champion_of_it(poisoned):
    draw = np.random.default_rng(1)
    values = draw.gamma(2, 400, (80 * 24, 2))
    other = values.copy()
    other[poisoned * 24 :] = 1e6
    said = []
    for series in (values, other):
        history = History(0, 3600, series)
        candidates = replay(history, RECIPES, PLAN, seed=1)
        said.append((candidates, champion(history, candidates.forecasts, PLAN, 0.0)))
    first_changed = poisoned - 60 + 1
    for name in RECIPES:
        one, two = (candidates.forecasts[name].values for candidates, _ in said)
        assert np.array_equal(one[:first_changed], two[:first_changed])
        assert not np.array_equal(one[first_changed:], two[first_changed:])
    one, two = (winner.forecasts.values for _, winner in said)
    assert np.array_equal(one[: max(first_changed - 10, 0)], two[: max(first_changed - 10, 0)])
    assert not np.array_equal(one, two)
    assert truth(History(0, 3600, values), PLAN).shape == (20, 24, 2)


def test_calibration_moves_no_inner_quantile():
    tracker = Tracker(np.array([[5.0], [-5.0]]))
    values = np.array([[[0.0, 1, 2, 3, 4]]])
    moved = tracker.moved(Quantiles(values, values[:, :, 2]), 0.0).checked(1, 1)
    assert moved.values.tolist() == [[[1, 1, 2, 3, 3]]]


@pytest.mark.parametrize("freedom", [2, 6, 27, 72, 400])
@pytest.mark.parametrize("statistic", [0.0, 0.3, -1.7, 2.5, 8.5])
def test_students_t_is_that_of_scipy(statistic, freedom):
    from scipy.stats import t

    assert two_sided(statistic, freedom) == pytest.approx(2 * t.sf(abs(statistic), freedom), rel=1e-9)
