"""The history of a run on its pages: sums of days, weeks and months equal those of the run, slot by slot."""

import re
import shutil
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from tests.integration.test_api import bearer, serving
from transactive.cli.token.actions import create_token
from transactive.store import Store
from transactive.store.read.history.days import NAMES, sums_of
from transactive.store.read.history.kept import kept_sums
from transactive.store.read.members import slots_of
from transactive.store.read.runs import Reader, RunProgress
from transactive.store.read.totals import Counter
from transactive.texts.formatting import Words
from transactive.web.history.part import Past
from transactive.web.history.periods import Period, day_of, midnight, period_with


@pytest.fixture(scope="module")
def past(demo_run):
    with closing(Store(demo_run.folder)) as store:
        reader = Reader(store)
        run, position = reader.run(), reader.position()
        assert run is not None
        totals = Counter(reader).totals(run, position)
        yield Past.of(reader, run, totals.days, position), totals


def whole(past) -> Period:
    words = past.words
    return Period("range", day_of(past.run.first_slot, words), day_of(past.now - 1, words))


def test_days_add_up_to_the_run_and_to_every_slot_read_anew(past):
    past, totals = past
    days, anew = past.sums(whole(past)), sums_of(past.reader, past.run, past.run.first_slot, past.run.last_slot)
    assert (days.members == anew.members).all()
    assert days.community == anew.community
    assert days.slots == anew.slots == past.run.slots
    assert days.of(None)["saved_n"] == totals.saved_n
    for index, member in enumerate(totals.members):
        mine = days.of(index)
        assert mine["saved_n"] == member.saved_n
        assert [mine[name] for name in NAMES[:8]] == [getattr(member, name) for name in NAMES[:8]]
    assert days.community["grid_import_wh"] >= totals.grid_import_wh > 0


def test_a_day_of_the_history_is_what_the_member_page_says_of_it(past):
    past, _ = past
    day = period_with("day", day_of(past.run.first_slot + 3 * 86_400, past.words))
    start = midnight(day.first, past.words)
    rows = slots_of(past.reader, 4, start, Words.next_day(past.words, start) - 1)
    mine = past.sums(day).of(4)
    assert mine["saved_n"] == sum(row["alone_n"] - row["paid_n"] for row in rows)
    assert mine["consumption_wh"] == sum(row["consumption_wh"] for row in rows)


def test_a_running_day_is_compared_with_as_much_of_the_day_before(past):
    past, totals = past
    at = past.run.first_slot + 100 * 3_600
    running = Past.of(past.reader, past.run, totals.days, RunProgress(at, at, at))
    today = period_with("day", day_of(at, past.words))
    cut = running.same_part(today, today.before())
    assert running.now - cut == 86_400
    there = running.sums(today.before(), cut)
    assert there.slots == (cut - midnight(today.before().first, past.words)) // 3_600
    assert (there.members == sums_of(past.reader, past.run, cut - there.slots * 3_600, cut - 1).members).all()


def test_sums_are_kept_with_their_reader_until_the_next_slot(past):
    kept, made = kept_sums(past[0].reader), count()
    assert [kept.of(("sum", slot), lambda: next(made)) for slot in (1, 1, 2, 2, 1)] == [0, 0, 1, 1, 0]
    for k in range(200):
        assert kept.of(("many", k), lambda: None) is None
    assert kept.of(("sum", 1), lambda: next(made)) == 2
    assert kept_sums(past[0].reader) is kept


@pytest.fixture(scope="module")
def client(demo_run):
    with serving(demo_run.folder) as client:
        yield client


@pytest.mark.parametrize("path", ["/", "/member", "/carbon", "/grid"])
@pytest.mark.parametrize(
    "query", ["", "span=day", "span=month", "span=year", "span=range&first=2017-06-06&last=2017-06-08"]
)
def test_every_page_with_a_past_shows_any_period(client, path, query):
    answer = client.get(f"{path}?{query}")
    assert answer.status_code == 200, answer.text
    if path != "/grid":  # this community has no lines
        assert 'id="h-history"' in answer.text
        (said,) = re.findall(r'id="h-history">([^<]*)<', answer.text)
        assert said == {"span=day": "Sunday 11 June 2017", "span=month": "June 2017", "span=year": "2017"}.get(
            query, "3 days, 6 to 8 June 2017" if query else "5 to 11 June 2017"
        )


def test_links_keep_the_period_and_lead_to_the_one_before(client):
    page = client.get("/?span=day").text
    assert 'href="/?slot=2017-06-11T06:00Z&amp;span=day"' in page
    before = re.findall(r'id="period-before" href="([^"]*)"', page)[0].replace("&amp;", "&")
    assert before == "/?span=day&day=2017-06-10"
    assert "Compared with the period before, Friday 9 June 2017." in client.get(before).text


def test_what_is_no_period_is_told_in_words(client):
    answer = client.get("/?span=fortnight")
    assert answer.status_code == 400
    assert "a period is day, week, month, year or range" in answer.text


def test_the_member_page_takes_a_local_date(client):
    assert "Thursday 8 June 2017, Los Angeles" in client.get("/member?member=house-17&day=2017-06-08").text


def test_who_keeps_the_lines_sees_no_history_of_few_homes(sample_state, tmp_path):
    folder = Path(shutil.copytree(sample_state, tmp_path / "state"))
    headers = bearer(create_token(folder, "grid", None))
    with serving(folder, local=False) as client:
        answer = client.get("/grid", headers=headers)
    assert answer.status_code == 200
    assert 'id="h-history"' not in answer.text


def test_battery_credit_is_the_one_line_between_the_page_and_the_summary(client, demo_run, past):
    bills = demo_run.outcome.summary.bills
    credited, saved = int(bills.without_market_n) - int(bills.with_market_n), past[1].saved_n
    assert credited != saved
    said = re.findall(r'id="credit">([^<]*)<', client.get("/").text)[0]
    words = past[0].words
    assert words.money(saved) in said
    assert words.money(credited) in said
    assert words.money(credited - saved) in said
