"""Times on pages are those of the community's clocks; files carry them beside UTC, on changes of the clock too."""

import re
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from tests.integration.conftest import call
from tests.integration.test_accounts import SECURE, browser, join
from transactive.core.slots import local_text, parse_time
from transactive.texts.formatting import STAMP, Words
from transactive.web.pages.parts.times import in_local_times
from transactive.web.papers.routes import _span

ANGELES = Words("USD", ZoneInfo("America/Los_Angeles"))
TAGS = re.compile(r"<(script|style)\b.*?</\1>|<code\b.*?</code>|<[^>]*>", re.DOTALL)
"""What people do not read as a sentence: marks with their tooltips, and commands."""
PAGES = [
    *(
        "/",
        "/carbon",
        "/grid",
        "/models",
        "/compare",
        "/verify",
        "/readings",
        "/account",
        "/explorer",
        "/help",
        "/bills",
    ),
    *("/member?member={home}", "/slots/{slot}", "/explorer/slots/{slot}", "/explorer/slots/{slot}/{home}"),
    *("/member?member={home}&day=1999-01-01T00:00Z", "/slots/2099-01-01T00:00Z", "/explorer/slots/1999-01-01T00:00Z"),
]


@pytest.fixture(scope="module")
def operator(demo_run):
    with browser(demo_run.folder, SECURE) as client:
        assert join(client, demo_run.folder, "operator").status_code == 303
        yield client


@pytest.mark.parametrize("path", PAGES)
def test_no_page_shows_people_a_time_in_utc(operator, demo_run, path):
    home, slot = demo_run.setting.community.ids[3], "2017-06-06T22:00Z"
    answer = operator.get(path.format(home=home, slot=slot))
    assert answer.status_code in (200, 400, 404)
    assert STAMP.findall(TAGS.sub(" ", answer.text)) == []
    if answer.status_code == 404:
        assert "2099" in answer.text or "1999" in answer.text


def test_a_sentence_of_the_parts_below_is_told_in_local_times():
    text = in_local_times("from 2017-06-05T02:00Z <on> to 2017-13-05T02:00Z", ANGELES)
    mark = '<time datetime="2017-06-05T02:00Z" title="2017-06-05T02:00Z">4 June 2017, 19:00</time>'
    assert text == Markup(f"from {mark} &lt;on&gt; to 2017-13-05T02:00Z")


def test_a_statement_carries_both_times(demo_run, tmp_path: Path):
    home = demo_run.setting.community.ids[3]
    for ending in ("csv", "html"):
        path = tmp_path / f"paper.{ending}"
        span = ("--from", "2017-06-05T07:00Z", "--to", "2017-06-06T07:00Z")
        assert call("statement", "--state", demo_run.folder, "--member", home, "-o", path, *span).code == 0
    rows = [line.split(",")[:2] for line in (tmp_path / "paper.csv").read_text().splitlines()]
    assert rows[0] == ["slot_start", "slot_start_local"]
    assert rows[1] == ["2017-06-05T07:00Z", "2017-06-05T00:00-07:00"]
    page = (tmp_path / "paper.html").read_text()
    assert "Monday 5 June 2017 · 24 slots" in page
    assert STAMP.findall(TAGS.sub(" ", page)) == []


@pytest.mark.parametrize(
    ("noon", "slots"), [("2017-03-12T12:00Z", 23), ("2016-11-06T12:00Z", 25), ("2017-06-05T12:00Z", 24)]
)
def test_the_statement_of_a_day_has_its_hours_also_when_the_clock_is_changed(noon, slots):
    first = parse_time("2016-08-01T07:00Z")
    last = parse_time("2017-08-01T06:00Z")
    clock = SimpleNamespace(length=3_600, end=lambda slot: slot + 3_600)
    community = SimpleNamespace(currency="USD", zone=ANGELES.zone)
    run: Any = SimpleNamespace(community=community, clock=clock, first_slot=first, last_slot=last)
    reader = SimpleNamespace(position=lambda: SimpleNamespace(committed=last))
    context: Any = SimpleNamespace(reader=reader)
    begin, end = _span(run, context, noon)
    assert begin is not None
    assert end is not None
    assert (end - begin) // 3_600 == slots
    assert ANGELES.clock(begin) == ANGELES.clock(end) == "00:00"


@given(st.integers(0, 2**32), st.sampled_from(["UTC", "Europe/Vienna", "America/Los_Angeles", "Australia/Lord_Howe"]))
def test_a_local_time_of_a_file_is_one_moment_also_in_the_hour_that_comes_twice(seconds, zone):
    assert datetime.fromisoformat(local_text(seconds, ZoneInfo(zone))).timestamp() == seconds
    assert parse_time(local_text(seconds, ZoneInfo(zone))) == seconds
