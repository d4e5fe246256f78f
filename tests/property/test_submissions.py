"""Submitted forecasts: sealed, then shown; an honest one is best; copies share a reward; no more is paid than saved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import InputError
from transactive.forecasting.pool.bonuses import BonusPot, bonuses_n, copies, leaderboard, pot_n
from transactive.forecasting.pool.submissions import WEIGHTS, Deadlines, Submissions, gains, loss, sealed
from transactive.forecasting.series import LEVELS

SLOT, LEAD, REVEAL = 1_800_000_000, 3_600, 900
GATE = SLOT - LEAD
SALT = bytes(range(32))
WH = st.integers(-5_000, 20_000)
FORECAST = st.lists(WH, min_size=len(LEVELS), max_size=len(LEVELS)).map(sorted).map(tuple)
NAMES = st.sampled_from(["ada", "ben", "cem", "outside"])
GAINS = st.dictionaries(NAMES, st.integers(-(10**6), 10**6), min_size=1)


def book(forecasts, *, hidden=()):
    """Forecasts by name, all sealed in time, and shown but those that stay hidden."""
    made = Submissions(Deadlines(LEAD, REVEAL))
    for name, quantiles in forecasts.items():
        made.seal(name, SLOT, sealed(name, SLOT, quantiles, SALT), GATE - 1)
    for name, quantiles in forecasts.items():
        if name not in hidden:
            made.show(name, SLOT, quantiles, SALT, GATE)
    return made


def test_levels_are_twentieths():
    assert WEIGHTS == (1, 5, 10, 15, 19)
    assert loss((10, 20, 30, 40, 50), 30) == 1 * 20 + 5 * 10 + 0 + 5 * 10 + 1 * 20


@given(st.dictionaries(NAMES, FORECAST, min_size=1), st.integers(-1_000, LEAD))
def test_nobody_sees_a_forecast_while_one_can_be_sealed(forecasts, later):
    made = book(forecasts)
    seen = made.seen(SLOT, GATE + later)
    assert seen == (forecasts if later >= 0 else {})
    if later >= 0:
        with pytest.raises(InputError, match="its gate has closed"):
            made.seal("late", SLOT, bytes(32), GATE + later)


@given(FORECAST, FORECAST)
def test_only_what_was_sealed_is_shown_and_only_in_time(one, other):
    made = book({"ada": one}, hidden=("ada",))
    for at in (GATE - 1, GATE + REVEAL):
        with pytest.raises(InputError, match="forecasts are shown from"):
            made.show("ada", SLOT, one, SALT, at)
    for name, quantiles, salt in (("ben", one, SALT), ("ada", other, SALT), ("ada", one, SALT[::-1])):
        if (name, quantiles, salt) != ("ada", one, SALT):
            with pytest.raises(InputError, match="is not what"):
                made.show(name, SLOT, quantiles, salt, GATE)
    made.show("ada", SLOT, one, SALT, GATE + REVEAL - 1)
    assert made.seen(SLOT, SLOT) == {"ada": one}


def test_a_copied_seal_opens_for_its_author_alone():
    made, mine = Submissions(Deadlines(LEAD, REVEAL)), sealed("ada", SLOT, (1, 2, 3, 4, 5), SALT)
    for name in ("ada", "ben"):
        made.seal(name, SLOT, mine, GATE - 1)
    made.show("ada", SLOT, (1, 2, 3, 4, 5), SALT, GATE)
    with pytest.raises(InputError, match="is not what ben sealed"):
        made.show("ben", SLOT, (1, 2, 3, 4, 5), SALT, GATE)


@pytest.mark.parametrize(("lead", "reveal"), [(900, 901), (900, 0)])
def test_forecasts_are_shown_before_their_slot_begins(lead, reveal):
    with pytest.raises(InputError, match="before their slot begins"):
        Deadlines(lead, reveal)


@given(st.dictionaries(NAMES, FORECAST, min_size=2), WH, FORECAST)
def test_what_is_not_shown_has_the_worst_loss(forecasts, total, reference):
    name = min(forecasts)
    told = book(forecasts, hidden=(name,)).of(SLOT)
    found = gains(told, dict.fromkeys(told, reference), dict.fromkeys(told, total))
    others = [loss(reference, total) - loss(one, total) for who, one in forecasts.items() if who != name]
    assert told[name] is None
    assert found[name] == min([0, *others])
    assert found[name] <= min(found.values())


@given(FORECAST, WH)
def test_who_repeats_the_reference_gains_nothing(forecast, total):
    assert gains({"ada": forecast}, {"ada": forecast}, {"ada": total}) == {"ada": 0}


@given(st.lists(WH, min_size=1, max_size=12), FORECAST)
def test_an_honest_forecast_has_the_least_expected_loss(outcomes, other):
    ordered = sorted(outcomes)
    honest = [ordered[min(weight * len(ordered) // 20, len(ordered) - 1)] for weight in WEIGHTS]
    assert sum(loss(honest, came) for came in outcomes) <= sum(loss(other, came) for came in outcomes)


@given(st.integers(-(10**12), 10**12), st.integers(0, 10**12), st.lists(GAINS, max_size=5))
def test_no_more_is_paid_than_half_of_the_saving_or_than_there_is(saving, balance, slots):
    pot = pot_n(saving, balance)
    paid = bonuses_n([(gains, {}) for gains in slots], pot)
    assert 0 <= sum(paid.values()) <= min(max(saving, 0) // 2, balance)
    assert all(money >= 0 for money in paid.values())
    for name in paid:
        if sum(gains.get(name, 0) for gains in slots) <= 0:
            assert paid[name] == 0


@given(st.lists(st.tuples(GAINS, st.integers(-(10**9), 10**9), st.integers(0, 10**9)), max_size=12))
def test_losses_are_made_up_before_anything_is_paid_again(periods):
    pot, paid, saved, highest = BonusPot(), 0, 0, 0
    for gains_of_slot, saved_n, balance in periods:
        pot.add(gains_of_slot, {}, saved_n)
        earned = pot.paid_n(balance)
        assert 0 <= sum(earned.values()) <= balance
        saved, paid = saved + saved_n, paid + sum(earned.values())
        highest = max(highest, saved)
        assert 2 * paid <= highest


@given(st.lists(GAINS, min_size=1, max_size=4), st.integers(1, 4), st.integers(0, 10**12))
def test_copies_of_a_forecast_share_one_reward(slots, more, pot):
    alone = bonuses_n([(gains, {}) for gains in slots], pot)
    name = min(alone)
    names = [name, *(f"{name} {number}" for number in range(more))]
    copied = [
        (gains | dict.fromkeys(names, gains[name]), dict.fromkeys(names, len(names))) if name in gains else (gains, {})
        for gains in slots
    ]
    together = bonuses_n(copied, pot)
    assert sum(together[one] for one in names) <= alone[name] + len(names)


def test_groups_of_copies_of_any_size_share_exactly():
    slots = [({"ada": 10, "ben": 10}, {"ada": count, "ben": 1}) for count in range(1, 44)]
    paid = bonuses_n(slots, 10**9)
    copied = sum(1 / count for count in range(1, 44)) / 43
    assert paid["ada"] / paid["ben"] == pytest.approx(copied)


@given(st.dictionaries(NAMES, FORECAST, min_size=1), st.integers(0, 50))
def test_what_hardly_differs_is_a_copy(forecasts, apart):
    name = min(forecasts)
    near = tuple(one + apart for one in forecasts[name])
    found = copies(forecasts | {"copy": near}, apart)
    assert found["copy"] == found[name] >= 2
    assert sum(1 / count for count in found.values()) == pytest.approx(round(sum(1 / c for c in found.values())))


def test_the_leaderboard_tells_luck_from_skill():
    rng = np.random.default_rng(1)
    skilled, lucky = rng.integers(50, 150, 60), np.array([3_000, *rng.integers(-60, 20, 59)])
    found = leaderboard({"lucky": lucky, "skilled": skilled}, np.random.default_rng(2))
    assert [one.forecaster for one in found] == ["skilled", "lucky"]
    assert found[0].is_sure
    assert not found[1].is_sure
    newcomer = {"skilled": skilled, "one day": np.array([10**6])}
    assert [one.is_sure for one in leaderboard(newcomer, np.random.default_rng(2))] == [True, False]
    assert found[1].low < found[1].mean < found[1].high
    again = leaderboard({"skilled": skilled, "lucky": lucky}, np.random.default_rng(2))
    assert {one.forecaster for one in again} == {"skilled", "lucky"}
