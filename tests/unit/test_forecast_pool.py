"""A pool of forecasters: weights learnt level by level, strictly online, with some absent, the same when repeated."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.forecasting import registry
from transactive.forecasting.evaluation.backtest import Forecasts, truth
from transactive.forecasting.evaluation.entrants import Entrants
from transactive.forecasting.evaluation.issue_plan import PlanWish, plan_of
from transactive.forecasting.evaluation.pool_along import pooled
from transactive.forecasting.evaluation.scores import crps, mean, pinball
from transactive.forecasting.pool.model import OURS, Pool, agents
from transactive.forecasting.pool.weights import COLUMNS, PARTS, Came, PoolWeights
from transactive.forecasting.series import LEVELS, History

HOUR, DAYS, MEMBERS = 3600, 80, 3
WISH = PlanWish(test_days=40, calibration_days=10)


@pytest.fixture(scope="module")
def history():
    """Members with a daily shape, and days that are high or low."""
    draw = np.random.default_rng(4)
    shape = 400 + 200 * np.sin(2 * np.pi * np.arange(24) / 24)
    day = draw.uniform(0.6, 1.4, (DAYS, 1, MEMBERS))
    return History(0, HOUR, (shape[:, None] * day * draw.gamma(20, 0.05, (DAYS, 24, MEMBERS))).reshape(-1, MEMBERS))


@pytest.fixture(scope="module")
def candidates(history):
    """Three ways to be wrong: too high, too low with little spread, and centred but too wide."""
    draw = np.random.default_rng(5)
    plan = plan_of(history, 24, WISH)
    came = truth(history, plan)
    seen = came + draw.normal(0, 30, came.shape)
    level = np.array([-1.64, -0.67, 0, 0.67, 1.64])
    made = {"high": (60, 30), "low": (-60, 30), "wide": (0, 150)}
    found = {
        name: Forecasts((seen + off)[..., None] + level * spread, seen + off) for name, (off, spread) in made.items()
    }
    return plan, found


def test_the_pool_is_better_than_the_best_of_its_forecasters(history, candidates):
    plan, found = candidates
    made = pooled(history, found, plan)
    tested = range(plan.calibration, len(plan.origins))
    came = truth(history, plan)[plan.calibration :]
    losses = {name: mean(crps(f.part(tested).values, came)) for name, f in (found | {"pool": made}).items()}
    assert losses["pool"] < 0.9 * min(loss for name, loss in losses.items() if name != "pool")
    inside = (came >= made.part(tested).values[..., 0]) & (came <= made.part(tested).values[..., -1])
    assert 0.86 < inside.mean() < 0.94


def test_what_comes_later_changes_no_forecast(history, candidates):
    plan, found = candidates
    cut = plan.origins[30]
    other = History(0, HOUR, np.where(np.arange(len(history.values))[:, None] < cut, history.values, 9e6))
    one, two = pooled(history, found, plan), pooled(other, found, plan)
    assert np.array_equal(one.values[:31], two.values[:31])
    assert not np.array_equal(one.values[31], two.values[31])


def test_with_half_of_the_forecasters_absent_the_pool_goes_on_with_the_others(history, candidates):
    plan, found = candidates
    present = np.random.default_rng(6).random((len(plan.origins), len(found))) < 0.5
    present[:, 2] |= ~present.any(axis=1)
    made = pooled(history, found, plan, present)
    blind = {
        name: Forecasts(np.where(present[:, k, None, None, None], f.values, 1e12), f.mean)
        for k, (name, f) in enumerate(found.items())
    }
    assert np.array_equal(made.values, pooled(history, blind, plan, present).values)  # the absent are not looked at


@given(st.integers(0, 1 << 30), st.lists(st.booleans(), min_size=4, max_size=4).filter(any))
def test_weights_are_shares_of_those_present(seed, present):
    draw = np.random.default_rng(seed)
    here = np.array(present)
    pool = PoolWeights.of(4, 2)
    for _ in range(5):
        said = np.sort(draw.normal(100, 40, (4, 6, 2, COLUMNS)), axis=-1)
        parts = np.sort(draw.integers(0, PARTS, 6))
        made = pool.mixed(said, here, parts)
        came = np.where(draw.random((6, 2)) < 0.2, np.nan, draw.normal(100, 40, (6, 2)))
        pool.learn(said, made, Came(came, parts, np.full(2, 100.0), 0.25), here)
        weights = pool.weights(here)
        assert weights.min() >= 0
        assert (weights[~here] == 0).all()
        np.testing.assert_allclose(weights.sum(axis=0), 1)
        inside = pool.mixed(said, here, parts)
        assert (inside <= said[here].max(axis=0) + 1e-9).all()
        assert (inside >= said[here].min(axis=0) - 1e-9).all()


def test_each_level_learns_whom_to_follow():
    pool, here = PoolWeights.of(2, 1), np.ones(2, np.bool_)
    draw, parts = np.random.default_rng(7), np.zeros(1, np.int64)
    right, wrong = np.array([-16.4, -6.7, 0, 6.7, 16.4, 0]), np.array([-60.0, -40, -30, -20, 16.4, -30])
    for _ in range(300):
        said = np.stack([right, wrong])[:, None, None] + 100
        made = pool.mixed(said, here, parts)
        pool.learn(said, made, Came(draw.normal(100, 10, (1, 1)), parts, np.full(1, 100.0), 1 / 24), here)
    weights = pool.weights(here)[0, 0, 0]
    assert (weights[:4] > 0.9).all()  # at the highest level both say the same
    assert weights[-1] > 0.9


def test_a_member_without_a_past_begins_with_what_suits_the_others():
    pool, here, parts = PoolWeights.of(2, 2), np.ones(2, np.bool_), np.arange(PARTS)
    said = np.stack([np.full((PARTS, 2, COLUMNS), value) for value in (100.0, 300.0)])
    came = np.array([[100.0, np.nan]] * PARTS)
    for _ in range(3):
        pool.learn(said, pool.mixed(said, here, parts), Came(came, parts, np.full(2, 100.0), 1.0), here)
    assert (pool.weights(here)[0, :, 1] > 0.8).all()
    assert (pool.shared().of_members(5).weights(here)[0] > 0.8).all()


def small():
    """A pool of three that learn quickly."""
    return Pool(("empirical", "last-day", "regression"))


@pytest.fixture(scope="module")
def model(history):
    return small().train(history.until(60 * 24, 24), 24, np.random.default_rng(1))


def test_what_the_pool_remembers_is_what_it_would_learn_again(history, model):
    fresh = small().from_bytes(model.to_bytes())
    for day in range(61, 70):
        known = history.until(day * 24, 24)
        warm = model.predict(known, 24)
    assert np.array_equal(warm.values, fresh.predict(history.until(69 * 24, 24), 24).values)


def test_a_corrected_reading_is_learnt_from_anew(history, model):
    known = history.until(70 * 24, 24)
    before = model.predict(known, 24)
    values = known.values.copy()
    values[65 * 24 : 66 * 24] *= 3
    corrected = replace(known, values=values)
    after = model.predict(corrected, 24)
    assert not np.array_equal(before.values, after.values)
    assert np.array_equal(after.values, small().from_bytes(model.to_bytes()).predict(corrected, 24).values)
    assert np.array_equal(before.values, model.predict(known, 24).values)


def test_the_pool_asks_ours_and_every_plug_in(monkeypatch):
    monkeypatch.setattr(registry, "names", lambda: (*OURS, "mine", "pool", "pooled", "boosted"))
    assert agents()[-1] == "mine"
    assert not {"pool", "pooled", "boosted"} & set(agents())


def test_without_a_name_or_with_auto_those_that_suit_the_series_take_part(history):
    one = replace(history, values=history.values[:, :1])
    assert Entrants.of((), history, 24) == Entrants.of(("auto",), history, 24) == Entrants.of(("pool",), history, 24)
    assert Entrants.of((), history, 24).pool
    assert "linear" in Entrants.of((), one, 24).names
    assert "linear" not in Entrants.of((), one, 45 * 24).names
    assert Entrants.of(("last-day", "pool"), one, 24) == Entrants(("last-day",), pool=True)
    assert not Entrants.of(("last-day",), one, 24).pool


def test_a_pool_in_which_nobody_can_learn_says_so():
    with pytest.raises(DataError, match="no forecaster of the pool can learn"):
        Pool(("regression",)).train(History(0, HOUR, np.ones((30, 1))), 24, np.random.default_rng(1))


def test_the_score_of_a_certain_forecast_is_its_absolute_error_and_never_below_pinball():
    truth_, certain = np.array([[[3.0]]]), np.full((1, 1, 1, len(LEVELS)), 5.0)
    assert crps(certain, truth_)[0, 0, 0] == pytest.approx(2.0)
    spread = np.array([[[[1.0, 2, 3, 4, 5]]]])
    assert 0 < crps(spread, truth_)[0, 0, 0] < crps(certain, truth_)[0, 0, 0]
    assert pinball(certain, truth_)[0, 0, 0] == pytest.approx(1.0)


def test_a_file_too_short_for_a_long_horizon_says_how_long_its_forecasts_are():
    ten_days = History(0, 3600, np.zeros((240, 1)))
    with pytest.raises(DataError, match="each 30 days long"):
        plan_of(ten_days, 30 * 24)
