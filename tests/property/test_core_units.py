"""Splits of whole numbers: nothing is lost, nobody gets what another one should have."""

from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.units import kwh_text, money_text, share, share_capped, share_columns, split_pair

TOTALS = st.one_of(st.integers(0, 30), st.integers(0, 10**18))
WEIGHTS = st.lists(st.one_of(st.integers(0, 4), st.integers(0, 10**12)), max_size=9)


@given(TOTALS, WEIGHTS)
def test_parts_sum_to_the_total_and_are_within_one_of_their_exact_share(total, weights):
    parts = share(total, weights)
    whole = sum(weights)
    if whole == 0:
        assert parts == [0] * len(weights)
        return
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert total * weight // whole <= part <= -(-total * weight // whole)


@given(TOTALS, WEIGHTS)
def test_a_larger_weight_never_gets_less_and_ties_go_to_the_lower_index(total, weights):
    parts = share(total, weights)
    for i, (weight, part) in enumerate(zip(weights, parts, strict=True)):
        for other, given_to_other in zip(weights[i + 1 :], parts[i + 1 :], strict=True):
            if weight >= other:
                assert part >= given_to_other
            else:
                assert part <= given_to_other


@given(TOTALS, WEIGHTS)
def test_no_part_is_rounded_up_before_one_with_a_larger_remainder(total, weights):
    whole = sum(weights)
    if whole == 0:
        return
    remainders = [total * weight % whole for weight in weights]
    parts = share(total, weights)
    up = [part > total * weight // whole for part, weight in zip(parts, weights, strict=True)]
    lowest_up = min((r for r, u in zip(remainders, up, strict=True) if u), default=whole)
    assert all(r <= lowest_up for r, u in zip(remainders, up, strict=True) if not u)


@given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(0, 10**9)), min_size=1))
def test_splitting_columns_in_two_is_sharing_each_row(rows):
    total, first, second = np.array(rows, np.int64).T
    expected = [share(t, (a, b))[0] for t, a, b in rows]
    assert split_pair(total, first, second).tolist() == expected


@st.composite
def capped(draw):
    caps = draw(st.lists(st.one_of(st.integers(0, 3), st.integers(0, 10**6)), min_size=1, max_size=7))
    weights = draw(st.lists(st.integers(0, 10**6), min_size=len(caps), max_size=len(caps)))
    return draw(st.integers(0, sum(caps))), weights, caps


def shared(total, weights, caps):
    return [int(part) for part in share_capped(total, np.array(weights, np.int64), np.array(caps, np.int64))]


@given(capped())
def test_capped_parts_keep_their_caps_and_sum_to_the_total(case):
    total, weights, caps = case
    parts = shared(total, weights, caps)
    assert sum(parts) == total
    assert all(0 <= part <= cap for part, cap in zip(parts, caps, strict=True))


@given(capped())
def test_one_without_a_weight_gets_nothing_while_others_have_room(case):
    total, weights, caps = case
    parts = shared(total, weights, caps)
    room = any(w and part < cap for w, part, cap in zip(weights, parts, caps, strict=True))
    if room:
        assert not any(part for part, weight in zip(parts, weights, strict=True) if not weight)


@given(capped())
def test_caps_that_do_not_bind_change_nothing(case):
    total, weights, _ = case
    if any(weights):
        assert shared(total, weights, [total] * len(weights)) == share(total, weights)


@given(capped())
def test_caps_below_the_total_are_refused(case):
    _, weights, caps = case
    with pytest.raises(ValueError, match="smaller than the total"):
        shared(sum(caps) + 1, weights, caps)


def plain(text):
    return Decimal(text.replace(",", "").replace("−", "-"))


@given(st.integers(-(10**20), 10**20), st.integers(0, 9))
def test_money_is_rounded_half_away_from_zero(amount, digits):
    exact = Decimal(amount) / 10**9
    text = money_text(amount, digits=digits)
    assert plain(text) == exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    assert text.startswith("−") == (plain(text) < 0)
    assert len(text.partition(".")[2]) == digits


@given(st.integers(-(10**12), 10**12), st.integers(0, 3))
def test_energy_is_rounded_half_away_from_zero_and_zero_has_no_sign(energy, digits):
    text = kwh_text(energy, digits)
    assert plain(text) == (Decimal(energy) / 1000).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    assert text.startswith("−") == (plain(text) < 0)
    assert len(text.partition(".")[2]) == digits


@given(st.integers(0, 2**40), st.lists(st.integers(0, 2**30), max_size=9))
def test_columns_are_shared_like_lists(total, weights):
    assert share_columns(total, np.array(weights, np.int64)).tolist() == share(total, weights)


@given(st.integers(0, 3), st.lists(st.sampled_from((0, 1, 2**58, 2**60, 2**62)), min_size=1, max_size=20))
def test_a_column_whose_sum_passes_64_bits_is_shared_all_the_same(total, weights):
    assert share_columns(total, np.array(weights, np.int64)).tolist() == share(total, weights)
