"""Local days and times on both changes of the clock, and at any time in any zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.slots import parse_time
from transactive.texts.formatting import Words

HOUR = 3_600
VIENNA = Words("EUR", ZoneInfo("Europe/Vienna"))
ZONES = ("UTC", "Europe/Vienna", "America/Los_Angeles", "Asia/Kolkata", "Australia/Lord_Howe", "Pacific/Apia")


@pytest.mark.parametrize(
    ("noon", "hours"), [("2026-03-29T12:00Z", 23), ("2026-10-25T12:00Z", 25), ("2026-06-01T12:00Z", 24)]
)
def test_a_day_has_the_hours_that_its_clocks_show(noon, hours):
    start, end = VIENNA.day_start(parse_time(noon)), VIENNA.next_day(parse_time(noon))
    assert (end - start) // HOUR == hours
    assert VIENNA.clock(start) == VIENNA.clock(end) == "00:00"
    assert VIENNA.day_start(end - 1) == start
    shown = [VIENNA.clock(at) for at in range(start, end, HOUR)]
    assert shown.count("02:00") == hours - 23


def test_the_same_time_of_day_is_found_across_a_change():
    noon = parse_time("2026-03-28T11:00Z")
    assert VIENNA.clock(noon) == VIENNA.clock(VIENNA.after(noon)) == "12:00"
    assert VIENNA.after(noon) - noon == 23 * HOUR
    assert VIENNA.before(VIENNA.after(noon)) == noon


def test_the_zone_is_named_with_what_it_is_ahead_at_that_time():
    angeles = Words("USD", ZoneInfo("America/Los_Angeles"))
    assert angeles.zone_text(parse_time("2017-06-05T00:00Z")) == "Los Angeles (UTC−7)"
    assert angeles.zone_text(parse_time("2017-01-05T00:00Z")) == "Los Angeles (UTC−8)"
    assert Words("INR", ZoneInfo("Asia/Kolkata")).zone_text(0) == "Kolkata (UTC+5:30)"
    assert Words("EUR").zone_text(0) == Words("EUR", ZoneInfo("UTC")).zone_text(0) == "UTC"
    assert angeles.span(parse_time("2017-06-05T19:00Z"), 3 * HOUR) == "12:00–15:00"
    assert angeles.moment(parse_time("2017-06-05T02:00Z")) == "4 June 2017, 19:00"


@given(st.integers(0, 2**32), st.sampled_from(ZONES))
def test_days_follow_each_other_without_a_gap(seconds, zone):
    words = Words("EUR", ZoneInfo(zone))
    start, end = words.day_start(seconds), words.next_day(seconds)
    assert start <= seconds < end
    assert words.day_start(end) == end
    assert datetime.fromtimestamp(seconds, UTC).astimezone(words.zone).strftime("%H:%M") == words.clock(seconds)
