"""Forecasts from the same hour of the last days: what is not known yet changes nothing."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.core.slots import DAY, SLOT_MINUTES
from transactive.forecasting.empirical import SAMPLE_DAYS, forecast

FIRST = 1_496_620_800


@st.composite
def cases(draw):
    """Length, a series of distinct numbers, how much of it is known, and consecutive slots from the known end on."""
    length = draw(st.sampled_from(SLOT_MINUTES)) * 60
    per_day = DAY // length
    known = draw(st.one_of(st.integers(1, 3 * per_day), st.integers(1, 40 * per_day)))
    ahead = draw(st.integers(0, per_day))
    horizon = draw(st.integers(1, 2 * per_day))
    start = FIRST + (known + ahead) * length
    members = draw(st.integers(1, 3))
    series = np.arange((known + ahead + horizon) * members, dtype=np.int64).reshape(-1, members)
    return length, series, known, range(start, start + horizon * length, length)


def expected_rows(length, known, slots):
    """The rule in plain words: the same hour, on days back from the newest known one, as many as all slots have."""
    per_day = DAY // length
    rows = []
    for slot in slots:
        row = (slot - FIRST) // length - per_day
        while row >= known:
            row -= per_day
        rows.append([r for r in (row - k * per_day for k in range(SAMPLE_DAYS)) if r >= 0])
    samples = min(len(r) for r in rows)
    return [r[:samples] for r in rows]


@given(cases())
def test_samples_are_the_same_hour_of_the_newest_known_days(case):
    length, series, known, slots = case
    rows = expected_rows(length, known, slots)
    if not rows[0]:
        with pytest.raises(DataError, match="at least one day of history"):
            forecast(series[:known], FIRST, length, slots)
        return
    result = forecast(series[:known], FIRST, length, slots)
    assert result.net_load_wh.tolist() == series[np.array(rows)].tolist()
    assert result.slots.tolist() == list(slots)
    assert result.known_until == FIRST + known * length
    assert 1 <= result.net_load_wh.shape[1] <= SAMPLE_DAYS


@given(cases(), st.integers(1, 2**62))
def test_what_comes_after_the_known_part_changes_nothing(case, other):
    length, series, known, slots = case
    if not expected_rows(length, known, slots)[0]:
        return
    changed = series.copy()
    changed[known:] = other
    one, two = (forecast(table[:known], FIRST, length, slots) for table in (series, changed))
    assert one.digest() == two.digest()
    assert one.net_load_wh.max() < known * series.shape[1]  # numbers rise with time


@given(cases(), st.integers(0, 3))
def test_no_sample_is_of_a_slot_that_had_not_ended(case, gate):
    """Also where the first slots asked for are known already: a slot is never its own forecast."""
    length, series, known, slots = case
    shifted = range(slots.start - gate * length, slots.stop, length)
    if not expected_rows(length, known, shifted)[0]:
        return
    result = forecast(series[:known], FIRST, length, shifted)
    slot_of = FIRST + result.net_load_wh[:, :, 0] // series.shape[1] * length
    assert (slot_of + length <= result.known_until).all()
    assert (slot_of + DAY <= np.array(shifted)[:, None]).all()
    assert ((np.array(shifted)[:, None] - slot_of) % DAY == 0).all()
    assert (np.diff(slot_of, axis=1) == -DAY).all()
