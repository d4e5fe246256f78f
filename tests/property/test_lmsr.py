"""The scoring rule of the market for predictions: within its bounds, rounded against who trades, always solvent."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from transactive.chain.prediction.lmsr import (
    MARGIN_N,
    MILLION,
    MOST_SHARES,
    ONE,
    bought_n,
    cost_n,
    exp,
    ln,
    loss_n,
    price_ppm,
    sold_back_n,
)

EXP_BOUND, LN_BOUND = Decimal(2) ** -101, Decimal(2) ** -106
DIGITS = 60
LIQUIDITY = st.one_of(st.sampled_from([10**6, 2**62]), st.integers(10**6, 2**62))


@pytest.fixture(autouse=True, scope="module")
def _digits():
    with localcontext() as context:
        context.prec = DIGITS
        yield


def true_cost(sold, liquidity):
    """C to sixty digits."""
    b = Decimal(liquidity)
    top = max(sold)
    return top + b * sum(((Decimal(one - top) / b).exp() for one in sold), Decimal(0)).ln()


@given(st.one_of(st.integers(0, 80 * ONE), st.integers(0, ONE), st.integers(0, 2**200)))
@example(0)
@example(1)
@example(78 * ONE)
def test_exp_is_within_its_bound(x):
    assert abs(Decimal(exp(x)) / ONE - (-Decimal(min(x, 10**4 * ONE)) / ONE).exp()) < EXP_BOUND


@given(st.integers(ONE, 8 * ONE))
@example(ONE)
@example(8 * ONE)
@example(7343016637207168931428032607349397)  # the root of two, where halving begins
@example(7343016637207168931428032607349398)
def test_ln_is_within_its_bound(x):
    assert abs(Decimal(ln(x)) / ONE - (Decimal(x) / ONE).ln()) < LN_BOUND


@given(LIQUIDITY, st.lists(st.integers(0, MOST_SHARES), min_size=2, max_size=8))
def test_cost_is_less_than_one_below_the_true_cost(liquidity, sold):
    below = true_cost(sold, liquidity) - cost_n(sold, liquidity)
    assert -(Decimal(2) ** -35) <= below < 1 + Decimal(2) ** -35


@given(LIQUIDITY, st.lists(st.integers(0, MOST_SHARES), min_size=2, max_size=8))
def test_prices_make_one(liquidity, sold):
    prices = [price_ppm(sold, liquidity, outcome) for outcome in range(len(sold))]
    assert MILLION - len(sold) <= sum(prices) <= MILLION


@given(
    LIQUIDITY,
    st.integers(2, 8),
    st.lists(st.tuples(st.integers(0, 7), st.floats(-1, 3)), max_size=12),
)
def test_whatever_is_traded_all_claims_can_be_paid(liquidity, outcomes, trades):
    """Tokens held are more than the shares of any outcome, after every trade; a round trip never gains."""
    pot, sold = loss_n(outcomes, liquidity), [0] * outcomes
    for place, size in trades:
        outcome, shares = place % outcomes, int(abs(size) * liquidity) + 1
        if size < 0:
            shares = min(shares, sold[outcome])
            pot -= sold_back_n(sold, liquidity, outcome, shares)
            sold[outcome] -= shares
        elif sold[outcome] + shares <= MOST_SHARES:
            money = bought_n(sold, liquidity, outcome, shares)
            assert money >= MARGIN_N - 1
            pot += money
            sold[outcome] += shares
            assert sold_back_n(sold, liquidity, outcome, shares) < money
        assert pot >= true_cost(sold, liquidity) >= max(sold)
        assert pot * outcomes >= sum(sold)  # an invalid question pays a part of one for every share
