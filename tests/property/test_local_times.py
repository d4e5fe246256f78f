"""Local times become Unix seconds as the time-zone database says, at every change of any clock."""

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transactive.core.errors import DataError
from transactive.tabular.local_times import to_utc
from transactive.tabular.source import ROW

ZONES = (
    "Europe/Vienna",
    "Europe/London",
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
)
QUARTER = 900


@given(
    zone=st.sampled_from(ZONES),
    first=st.integers(800_000_000 // QUARTER, 2_050_000_000 // QUARTER).map(lambda k: k * QUARTER),
    slots=st.integers(1, 96 * 40),
    reverse=st.booleans(),
)
def test_every_slot_of_a_file_is_found_again(zone, first, slots, reverse):
    truth = [first + QUARTER * k for k in range(slots)]
    truth = truth[::-1] if reverse else truth
    walls = [wall(at, zone) for at in truth]
    frame = pl.DataFrame({ROW: range(slots), "at": walls})
    alone = {at for at in truth if walls.count(wall(at, zone)) == 1 and shown_twice(at, zone)} if slots < 200 else set()
    if slots >= 200:  # only the ends can be cut within the hour that comes twice
        ends = [*truth[:8], *truth[-8:]]
        alone = {at for at in ends if shown_twice(at, zone) and walls.count(wall(at, zone)) == 1}
    if alone:
        with pytest.raises(DataError, match="came twice"):
            to_utc(frame, "at", zone, [], "file")
        return
    assert to_utc(frame, "at", zone, [], "file")["at"].to_list() == truth


@settings(max_examples=15)
@given(zone=st.sampled_from(ZONES[:4]), year=st.integers(1996, 2030))
def test_a_time_that_no_clock_showed_is_refused(zone, year):
    begin = int(datetime(year, 1, 1, tzinfo=UTC).timestamp())
    hours = [begin + 3600 * k for k in range(24 * 366)]
    forward = next(a for a, b in pairwise(hours) if wall(b, zone) - wall(a, zone) > 3600)
    gap = wall(forward, zone) + 3600  # the next hour by a clock that nobody has put forward
    missing = gap if zone != "Australia/Lord_Howe" else gap - 900  # there half an hour is left out
    assert wall(forward + 3600, zone) > missing
    with pytest.raises(DataError, match="never was"):
        to_utc(pl.DataFrame({ROW: [1], "at": [missing]}), "at", zone, [], "file")


def test_what_is_not_there_stays_so():
    frame = pl.DataFrame({ROW: [1, 2], "at": [0, None]})
    assert to_utc(frame, "at", "Europe/Vienna", [], "file")["at"].to_list() == [-3600, None]


def wall(at, zone):
    """A moment as the wall clock shows it, in seconds as if UTC."""
    shown = datetime.fromtimestamp(at, ZoneInfo(zone)).replace(tzinfo=UTC)
    return int(shown.timestamp())


def shown_twice(at, zone):
    """Whether the clock shows the same time again, earlier or later."""
    moment = datetime.fromtimestamp(at, ZoneInfo(zone))
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()
