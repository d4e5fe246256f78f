"""Quantiles of days that fade: exact where all days count alike, and quick after a change."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.forecasting.conformance import START
from transactive.forecasting.models.baselines import Empirical, Fading
from transactive.forecasting.series import LEVELS, History


def history(values):
    return History(START, 3600, np.repeat(values, 24)[:, None].astype(np.float64))


@given(st.lists(st.integers(0, 5000), min_size=28, max_size=28))
def test_days_that_count_alike_give_hazens_quantiles(days):
    told = Fading(half_life=1e12).predict(history(days), 24)
    expected = np.quantile(days, LEVELS, method="hazen")
    assert told.values[0, 0] == pytest.approx(expected, rel=1e-9, abs=1e-6)
    assert told.mean[0, 0] == pytest.approx(np.mean(days), rel=1e-9, abs=1e-6)


@given(st.lists(st.integers(0, 5000), min_size=1, max_size=28))
def test_quantiles_rise_and_stay_within_what_was_seen(days):
    told = Fading().predict(history(days), 24)
    assert (np.diff(told.values, axis=2) >= 0).all()
    assert min(days) <= told.values.min() <= told.values.max() <= max(days)


def test_a_week_after_a_change_half_of_the_weight_is_new():
    days = [100] * 21 + [900] * 7
    fading, usual = (recipe.predict(history(days), 24) for recipe in (Fading(), Empirical()))
    assert fading.mean[0, 0] > 500 > usual.mean[0, 0]
    assert fading.values[0, 0, 3] == 900
