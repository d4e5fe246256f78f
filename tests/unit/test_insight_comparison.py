"""Figures of a comparison, worked by hand and against plain loops."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.units import PPM
from transactive.insight.studies.comparison import gini, jump, mean, median, rounded

WHOLE = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("values", "index"),
    [
        ([7, 7, 7], 0.0),
        ([0, 0, 10], 1.0),
        ([-5, 5], 1.0),
        ([-5, 0, 0, 5], 1.0),
        ([1, 3], 0.5),
        ([1, 2, 3], 0.333333),
        ([-1, 2, 3], 0.666666),
        ([0, 0], 0.0),
        ([5], 0.0),
    ],
)
def test_inequality_by_hand(values, index):
    assert gini(values) == index


@given(st.lists(WHOLE, min_size=2, max_size=9), st.integers(1, 1000))
def test_inequality_is_that_of_all_pairs_between_0_and_1_and_has_no_unit(values, factor):
    pairs = sum(abs(a - b) for i, a in enumerate(values) for b in values[:i])
    whole = (len(values) - 1) * sum(map(abs, values))
    assert gini(values) == (pairs * PPM // whole / PPM if whole else 0)
    assert 0 <= gini(values) <= 1
    assert gini([factor * value for value in values]) == gini(values)
    assert gini([-value for value in values]) == gini(values)


@given(st.lists(WHOLE, min_size=1))
def test_the_median_has_half_on_either_side(values):
    middle = median(values)
    assert 2 * sum(value < middle for value in values) <= len(values)
    assert 2 * sum(value > middle for value in values) <= len(values)


def test_means_round_halves_up_and_know_nothing_of_nothing():
    assert (mean([1, 2]), mean([-1, -2]), mean([])) == (2, -1, None)
    assert (rounded(5, 2), rounded(4, 0)) == (3, None)


def test_a_price_jumps_only_between_neighbouring_slots_that_both_traded():
    assert jump([10, 14, None, 50, 40, None]) == 7
    assert jump([10, None, 12]) is None
    assert jump([]) is None
