"""Stakes on forecasts: zero-sum, an honest report is best, names do not matter, a moved Wh never pays too much."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from transactive.chain.prediction.scoring import LEVELS, level_ppm, loss, packed, paid_n, score, unpacked

SCALE, SLOPE = 8_000, 60_000
MOST = SCALE * SLOPE // 2
WH = st.integers(0, 20_000)
FORECAST = st.lists(WH, min_size=LEVELS, max_size=LEVELS).map(sorted).map(tuple)
STAKE = st.integers(1, MOST)
AGENTS = st.lists(st.tuples(STAKE, st.none() | FORECAST), min_size=1, max_size=8)


def paid(agents, outcome):
    return paid_n([stake for stake, _ in agents], [forecast for _, forecast in agents], outcome, SCALE)


@given(AGENTS, WH)
def test_what_is_paid_is_what_was_staked_and_nobody_loses_more_than_its_stake(agents, outcome):
    found = paid(agents, outcome)
    assert sum(found) == sum(stake for stake, _ in agents)
    assert min(found) >= 0


@given(AGENTS, WH, st.integers(0, 7))
def test_a_moved_wh_never_pays_more_than_the_slope(agents, outcome, place):
    place %= len(agents)
    gained = paid(agents, outcome + 1)[place] - paid(agents, outcome)[place]
    assert abs(gained) <= SLOPE + len(agents)


@given(AGENTS, WH, st.integers(2, MOST), FORECAST, st.data())
def test_splitting_a_stake_changes_nothing_but_the_rounding(agents, outcome, stake, forecast, data):
    part = data.draw(st.integers(1, stake - 1))
    whole = paid([(stake, forecast), *agents], outcome)
    split = paid([(part, forecast), (stake - part, forecast), *agents], outcome)
    assert abs(split[0] + split[1] - whole[0]) <= 2


@given(st.lists(st.tuples(st.integers(1, 5), WH), min_size=1, max_size=6), FORECAST)
def test_an_honest_report_has_the_least_loss_that_is_expected(belief, other):
    """Against outcomes by their weights, no forecast is better than the quantiles of just these."""
    outcomes = sorted(wh for weight, wh in belief for _ in range(weight))
    places = [level_ppm(level) * len(outcomes) // 10**6 for level in range(LEVELS)]
    honest = tuple(outcomes[min(place, len(outcomes) - 1)] for place in places)
    exact = [sum(_weighted(forecast, wh) for wh in outcomes) for forecast in (honest, other)]
    assert exact[0] <= exact[1]


def _weighted(forecast, outcome):
    """Loss before it is divided and rounded: that of shifted copies of the outcome adds up exactly."""
    return sum(
        (2 * level + 1) * (outcome - one) if outcome >= one else (2 * LEVELS - 2 * level - 1) * (one - outcome)
        for level, one in enumerate(forecast)
    )


@given(FORECAST, WH)
def test_a_forecast_is_a_word_and_its_loss_the_rounded_sum(forecast, outcome):
    assert unpacked(packed(forecast)) == forecast
    assert loss(forecast, outcome) == _weighted(forecast, outcome) // 64
    assert 0 == score(None, outcome, SCALE) <= score(forecast, outcome, SCALE) <= SCALE


@given(FORECAST, FORECAST, STAKE, STAKE, WH)
def test_who_forecasts_better_gains_from_who_does_worse(one, other, stake, second, outcome):
    assume(score(one, outcome, SCALE) > score(other, outcome, SCALE))
    found = paid([(stake, one), (second, other)], outcome)
    assert found[0] >= stake
    assert found[1] <= second
