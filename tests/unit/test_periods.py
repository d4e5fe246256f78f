"""Periods of local days: which days they hold, what comes before, and what people call them."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.errors import InputError
from transactive.core.slots import parse_time
from transactive.texts.formatting import Words
from transactive.web.history.part import Past
from transactive.web.history.periods import (
    SPANS,
    AskedPeriod,
    Period,
    asked_period,
    day_of,
    midnight,
    period_with,
    time_of,
    title,
)

DAYS = st.dates(date(1990, 1, 1), date(2100, 1, 1))
THURSDAY = date(2017, 6, 8)
VIENNA = Words("EUR", ZoneInfo("Europe/Vienna"))


@given(st.sampled_from(SPANS[:-1]), DAYS)
def test_periods_follow_each_other_without_a_gap(span, day):
    period = period_with(span, day)
    assert period.first <= day <= period.last
    assert period.before().last + timedelta(days=1) == period.first
    assert period.after().first - timedelta(days=1) == period.last
    assert period.before().after() == period.after().before() == period


@pytest.mark.parametrize(
    ("now", "cut"),
    [
        ("2024-10-28T00:00+01:00", "2024-09-28T00:00+02:00"),  # of a day of 25 hours the last one has no match
        ("2024-10-27T23:30+01:00", "2024-09-28T00:00+02:00"),
        ("2024-10-27T22:00+01:00", "2024-09-27T23:00+02:00"),
        ("2024-04-01T00:00+02:00", "2024-03-01T00:00+01:00"),  # February has no 31st day
        ("2025-03-31T00:00+02:00", "2025-03-01T00:00+01:00"),
        ("2021-03-29T00:00+02:00", "2021-03-01T00:00+01:00"),
    ],
)
def test_a_running_month_is_compared_with_as_many_days_at_a_clock_change(now, cut):
    run: Any = SimpleNamespace(community=SimpleNamespace(currency="EUR", zone=VIENNA.zone))
    unread: Any = None
    past = Past(unread, run, unread, parse_time(now), over=False)
    month = period_with("month", day_of(past.now - 1, VIENNA))
    assert past.same_part(month, month.before()) == parse_time(cut)


def test_a_day_of_23_hours_that_is_over_is_compared_with_a_whole_day():
    run: Any = SimpleNamespace(community=SimpleNamespace(currency="EUR", zone=VIENNA.zone))
    unread: Any = None
    past = Past(unread, run, unread, parse_time("2024-04-01T00:00+02:00"), over=False)
    day = period_with("day", date(2024, 3, 31))
    assert past.same_part(day, day.before()) == parse_time("2024-03-31T00:00+01:00")


@given(DAYS, st.integers(1, 900))
def test_the_bars_of_a_range_hold_each_of_its_days_once(day, days):
    period = Period("range", day, day + timedelta(days=days - 1))
    assert [each for bar in period.bars() for each in bar.each_day()] == list(period.each_day())
    assert len(period.bars()) <= 62
    assert period.before().days == days
    assert period.before().last + timedelta(days=1) == day


@pytest.mark.parametrize(
    ("span", "today", "said"),
    [
        ("week", THURSDAY, "This week, 5 to 11 June 2017"),
        ("week", date(2017, 6, 12), "Last week, 5 to 11 June 2017"),
        ("week", date(2017, 6, 19), "5 to 11 June 2017"),
        ("week", None, "5 to 11 June 2017"),
        ("month", THURSDAY, "This month, June 2017"),
        ("year", date(2018, 1, 1), "Last year, 2017"),
        ("day", date(2017, 6, 9), "Yesterday, Thursday 8 June 2017"),
    ],
)
def test_this_week_means_this_week(span, today, said):
    assert title(period_with(span, THURSDAY), today) == said


def test_a_range_says_its_days_and_their_number():
    assert (
        title(Period("range", date(2016, 12, 30), date(2017, 1, 2)), THURSDAY)
        == "4 days, 30 December 2016 to 2 January 2017"
    )
    assert title(Period("range", THURSDAY, THURSDAY), THURSDAY) == "1 day, 8 June 2017"


def test_an_address_names_a_period_or_the_week_of_what_is_shown():
    assert asked_period(AskedPeriod(), THURSDAY) == period_with("week", THURSDAY)
    assert asked_period(AskedPeriod("month", "2017-02-03"), THURSDAY) == period_with("month", date(2017, 2, 3))
    assert asked_period(AskedPeriod("range", None, "2017-06-01", "2017-06-03"), THURSDAY).days == 3
    assert asked_period(AskedPeriod("range"), THURSDAY).days == 30


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (AskedPeriod("fortnight"), "span fortnight"),
        (AskedPeriod("day", "yesterday"), "day 'yesterday'"),
        (AskedPeriod("range", None, "2017-06-09", "2017-06-08"), "first 2017-06-09"),
        (AskedPeriod("range", None, "1981-01-01", "2017-06-08"), "3,700 days"),
        (AskedPeriod("year", "0001-01-01"), "between 1980 and 2200"),
        (AskedPeriod("range", None, "2017-13-01"), "first '2017-13-01'"),
    ],
)
def test_what_is_no_period_is_named(asked, named):
    with pytest.raises(InputError, match=named):
        asked_period(asked, THURSDAY)


def test_a_date_is_a_local_day_and_a_time_is_itself():
    assert time_of("2017-06-05", VIENNA) == parse_time("2017-06-04T22:00Z") == midnight(date(2017, 6, 5), VIENNA)
    assert time_of("2017-06-05T00:00Z", VIENNA) == parse_time("2017-06-05T00:00Z")
