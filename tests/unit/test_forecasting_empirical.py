"""Empirical quantiles by example."""

import numpy as np
import pytest

from transactive.core.errors import DataError
from transactive.forecasting.empirical import forecast

HOUR, DAY = 3600, 86_400


def series(hours):
    """Hour h of day d is 100 d + h."""
    return np.array([[100 * (k // 24) + k % 24] for k in range(hours)], np.int64)


def samples(known_hours, slot_hours, **options):
    slots = range(slot_hours[0] * HOUR, (slot_hours[-1] + 1) * HOUR, HOUR)
    return forecast(series(known_hours), 0, HOUR, slots, **options).net_load_wh[:, :, 0].tolist()


def test_28_days_of_the_same_hour_are_taken_newest_first():
    (taken,) = samples(30 * 24, [30 * 24 + 5])
    assert taken == [100 * day + 5 for day in range(29, 1, -1)]
    assert len(taken) == 28


def test_fewer_days_of_history_give_fewer_samples():
    assert samples(50, [53]) == [[105, 5]]
    assert samples(24, [24]) == [[0]]
    assert samples(24, [23 + 24]) == [[23]]


def test_the_slot_with_least_history_decides_for_all():
    rows = samples(51, range(51, 73))
    assert (rows[0], rows[-1]) == ([103, 3], [200, 100])  # hour 0 of day 2 is known, hour 3 is not
    rows = samples(60, range(60, 84))
    assert (rows[0], rows[11], rows[12], rows[-1]) == ([112, 12], [123, 23], [200, 100], [211, 111])


def test_beyond_a_day_the_newest_known_same_hour_is_used_again():
    rows = samples(72, range(75, 124))
    assert rows == [[200 + hour % 24, 100 + hour % 24, hour % 24] for hour in range(75, 124)]


def test_days_of_samples_can_be_chosen():
    assert samples(10 * 24, [240], sample_days=2) == [[900, 800]]


@pytest.mark.parametrize(
    ("known", "slot", "name"),
    [(1, 1, "1970-01-01T01:00Z"), (23, 23, "1970-01-01T23:00Z"), (23, 47, "1970-01-02T23:00Z")],
)
def test_less_than_a_day_is_refused_with_the_slot_named(known, slot, name):
    with pytest.raises(DataError, match=f"same hour before {name}: give at least one day"):
        samples(known, [slot])
