"""Prices of shares as quantiles: in order, inside what could be asked, and saying what the prices say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import InputError
from transactive.forecasting.pool.odds import quantiles_of
from transactive.forecasting.series import LEVELS

BOUNDS = st.lists(st.integers(1, 10**6), min_size=1, max_size=7, unique=True).map(sorted)


@given(BOUNDS, st.data())
def test_quantiles_rise_and_agree_with_the_prices_at_every_bound(bounds, data):
    outcomes = len(bounds) + 1
    prices = data.draw(st.lists(st.integers(1, 10**6), min_size=outcomes, max_size=outcomes))
    found = quantiles_of(bounds, prices)
    assert (np.diff(found) >= 0).all()
    assert found[0] >= 0
    for place, bound in enumerate(bounds):
        below = sum(prices[: place + 1]) / sum(prices)
        for level, quantile in zip(LEVELS, found, strict=True):
            if level < below - 1e-9:
                assert quantile <= bound + 1e-6
            if level > below + 1e-9:
                assert quantile >= bound - 1e-6


def test_an_even_market_of_two_outcomes_has_its_bound_in_the_middle():
    assert quantiles_of([400], [500_000, 500_000]).tolist() == pytest.approx([40, 200, 400, 600, 760])


def test_what_nobody_buys_is_not_expected():
    assert quantiles_of([100, 200, 300], [0, 1_000_000, 0, 0]).tolist() == pytest.approx([105, 125, 150, 175, 195])


@pytest.mark.parametrize(("bounds", "prices"), [([], [1]), ([1], [1]), ([1], [0, 0]), ([1, 2], [1, -1, 1])])
def test_every_outcome_has_a_price(bounds, prices):
    with pytest.raises(InputError, match="outcomes, each with a price"):
        quantiles_of(bounds, prices)
