"""The pool of a community total: nobody moves it before it has earned that, nor far; samples follow what it says."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from transactive.forecasting.pool.totals import OWN, WIDTHS, TotalsPool, total_figures, with_mean
from transactive.forecasting.samples import moved_together
from transactive.forecasting.series import LEVELS

HOUR, DAY = 3_600, 86_400
WH = st.integers(-5_000, 20_000)
FORECAST = st.lists(WH, min_size=len(LEVELS), max_size=len(LEVELS)).map(sorted).map(tuple)
SAMPLES = st.integers(0, 1 << 30).map(
    lambda seed: np.random.default_rng(seed).normal(500, (0, 50, 200), (20, 3)).astype(np.int64)
)
FAR = st.integers(-(10**15), 10**15)


@given(SAMPLES, FORECAST)
def test_samples_follow_the_total_that_is_said(samples, forecast):
    own, made = total_figures(samples)[:5], np.array(forecast)
    moved = moved_together(samples, own, made)
    apart = moved.sum(axis=1) - samples.sum(axis=1)
    lowest, highest = sorted((int((made - own).min()), int((made - own).max())))
    beyond = max(highest - lowest, 1)  # beyond the outer levels the slope of the outer pair goes on
    assert lowest - 2 * beyond <= apart.min() <= apart.max() <= highest + 2 * beyond
    assert (moved[:, 0] == samples[:, 0]).all()  # a member that is certain is not moved
    assert (moved_together(samples, own, own) == samples).all()


@given(st.lists(st.tuples(FORECAST, FAR, WH), min_size=1, max_size=23))
def test_nobody_is_heard_before_it_was_tried_for_a_day(said):
    pool = TotalsPool(1_000.0, HOUR)
    for number, (own, far, came) in enumerate(said):
        each = {OWN: with_mean(own), "new": with_mean((far,) * 5)}
        made = pool.mixed(each, number * HOUR)
        assert (made[:5] == own).all()
        pool.learn(each, made, came, number * HOUR)


@given(st.lists(st.tuples(FORECAST, FAR, WH), min_size=25, max_size=40))
def test_nobody_moves_the_pool_further_than_some_widths(said):
    pool = TotalsPool(1_000.0, HOUR)
    for number, (own, far, came) in enumerate(said):
        each = {OWN: with_mean(own), "wild": with_mean((far,) * 5)}
        made, width = pool.mixed(each, number * HOUR), WIDTHS * (own[-1] - own[0])
        assert (np.diff(made[:5]) >= 0).all()
        assert own[0] - width - 1 <= made[0] <= made[4] <= own[-1] + width + 1
        pool.learn(each, made, came, number * HOUR)


def learnt(draw, slots=24 * 10, names=("good",)):
    """A pool that has heard the market's own vague forecasts beside good ones."""
    pool = TotalsPool(1_000.0, HOUR)
    for number in range(slots):
        came = int(draw.normal(1_000, 300))
        good = tuple(came + off for off in (-40, -15, 0, 15, 40))
        each = {OWN: with_mean((500, 800, 1_000, 1_200, 1_500)), **{name: with_mean(good) for name in names}}
        pool.learn(each, pool.mixed(each, number * HOUR), came, number * HOUR)
    return pool


def test_the_pool_follows_who_knows_better_and_one_that_is_absent_is_missed_only_then():
    pool = learnt(np.random.default_rng(1))
    own = with_mean((500, 800, 1_000, 1_200, 1_500))
    good = with_mean((1_300, 1_320, 1_330, 1_340, 1_360))
    assert abs(int(pool.mixed({OWN: own, "good": good}, 0)[2]) - 1_330) < 40
    assert (pool.mixed({OWN: own}, 0) == own).all()


def test_who_comes_later_begins_as_if_it_had_never_spoken():
    one, two = learnt(np.random.default_rng(1)), learnt(np.random.default_rng(1))
    own = with_mean((500, 800, 1_000, 1_200, 1_500))
    late = {OWN: own, "good": own + 100, "late": own + 700}
    assert (one.mixed(late, 0) == two.mixed({OWN: own, "good": own + 100}, 0)).all()
