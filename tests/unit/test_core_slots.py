"""The market's clock and times as text, by example."""

import pytest

from transactive.core.errors import InputError
from transactive.core.slots import MarketClock, parse_time, time_text

MONDAY = 1_496_620_800  # 2017-06-05T00:00Z


@pytest.mark.parametrize(
    ("length", "closure", "lead"), [(3600, 0, 0), (3600, 1, 1), (3600, 3600, 1), (3600, 3601, 2), (900, 3600, 4)]
)
def test_lead_is_rounded_up_to_whole_slots(length, closure, lead):
    assert MarketClock(length, closure, 24).lead == lead


def test_a_day_is_a_period_from_midnight_to_midnight_utc():
    clock = MarketClock(3600, 3600, 24)
    assert clock.starts_period(MONDAY)
    assert not clock.starts_period(MONDAY + 3600)
    assert not clock.ends_period(MONDAY + 22 * 3600)
    assert clock.ends_period(MONDAY + 23 * 3600)
    assert clock.period(MONDAY) == 17_322 == clock.period(MONDAY - 3600) + 1


def test_a_period_of_one_slot_starts_and_ends_with_it():
    clock = MarketClock(900, 0, 1)
    assert clock.starts_period(MONDAY)
    assert clock.ends_period(MONDAY)
    assert clock.gate(MONDAY) == MONDAY


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2017-06-05T00:00", "no zone"),
        ("2017-06-05", "no zone"),
        ("2017-06-05T00:00:00.5Z", "part of a second"),
        ("2017-13-05T00:00Z", "not RFC 3339"),
        ("monday", "not RFC 3339"),
        ("", "not RFC 3339"),
        ("9999-12-31T23:59:59-12:00", "end of the calendar"),
        ("0001-01-01T00:00+14:00", "end of the calendar"),
    ],
)
def test_a_time_that_is_not_one_moment_is_refused(text, complaint):
    with pytest.raises(InputError, match=complaint):
        parse_time(text)


def test_seconds_are_written_only_where_there_are_some():
    assert time_text(MONDAY) == "2017-06-05T00:00Z"
    assert time_text(MONDAY + 61) == "2017-06-05T00:01:01Z"
