"""Feeds fetched into a community: journal first, rows that never change, ages told, nothing stale taken."""

import json
import os
import re
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_meter_sources import http_device
from tests.unit.test_feeds import ELECTRICITY_MAPS, TIBBER
from transactive.config.setting import load_setting
from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.environment.feeds.decode import FeedSeries
from transactive.environment.feeds.profile import FOLDER
from transactive.environment.feeds.rows import FedRows
from transactive.services.feeds import taking
from transactive.services.feeds.ages import lines_of_ages
from transactive.services.feeds.journal import journal_of, read_feeds
from transactive.services.feeds.taking import arrival_of, feed_ages, take_feed

HOUR = 3_600
HEAD = "slot_start,spot_price_micro_per_kwh,grid_carbon_g_per_kwh\n"
PRICE, CARBON = HEAD.strip().split(",")[1:]


def next_hours(count, first=1):
    begin = int(time.time()) // HOUR * HOUR
    return [begin + HOUR * k for k in range(first, first + count)]


def awattar(starts, prices):
    rows = [
        {"start_timestamp": 1_000 * t, "marketprice": price, "unit": "Eur/MWh"}
        for t, price in zip(starts, prices, strict=True)
    ]
    return json.dumps({"data": rows})


def carbon(starts, grams):
    return json.dumps({"unix_seconds": starts, "co2eq_forecast": grams})


def fed(path):
    """Let a community's carbon intensity, and what feeds tell beside it, stand in a file."""
    text = path.read_text()
    assert "grid_g_per_kwh = 350\n" in text
    text = text.replace("grid_g_per_kwh = 350\n", "").replace("[data]\n", '[data]\nenvironment = "environment.csv"\n')
    path.write_text(text)


@pytest.fixture
def community(tmp_path):
    path = write_community(tmp_path)
    fed(path)
    (tmp_path / "environment.csv").write_text(HEAD)
    return path


def test_two_feeds_fill_the_file_slot_by_slot(community):
    starts = next_hours(3)
    answers = {"/at": awattar(starts, [100, 90.5, -3]), "/co2": carbon(starts[:2], [300, 310.5])}
    file = community.with_name("environment.csv")
    with http_device(answers, []) as host:
        first = call("feed", "fetch", community, "awattar-at", "--from", f"http://{host}/at", "--json")
        assert first.code == 0, first.err
        facts = json.loads(first.out)
        assert (facts["rows_added"], facts["stale"], facts["slots_told_beyond"][PRICE]) == (0, False, 3)
        assert file.read_text() == HEAD
        second = call("feed", "fetch", community, "energy-charts-carbon", "--from", f"http://{host}/co2", "--json")
        assert json.loads(second.out)["rows_added"] == 2
        written = file.read_text()
        assert written.splitlines()[1:] == [f"{time_text(starts[0])},100000,300", f"{time_text(starts[1])},90500,311"]
        answers["/at"] = awattar(starts[1:], [1, 2])  # told otherwise, once of a slot that has its row
        answers["/co2"] = carbon(starts[1:], [1, 320])
        for feed, place in (("awattar-at", "at"), ("energy-charts-carbon", "co2")):
            assert call("feed", "fetch", community, feed, "--from", f"http://{host}/{place}").code == 0
    assert file.read_text() == written + f"{time_text(starts[2])},2000,320\n"
    ages = {age.column: age for age in feed_ages(file)}
    assert ages[PRICE].told_until == starts[2] + HOUR
    assert int(time.time()) - ages[CARBON].heard < 600


def test_a_feed_is_shown_with_its_age_and_nothing_is_kept(community, tmp_path):
    told = tmp_path / "told.json"
    told.write_text(awattar(next_hours(2), [1, 2]))
    os.utime(told, (time.time() - 5_400, time.time() - 5_400))
    shown = call("feed", "show", "awattar-at", "--from", told, "--json")
    facts = json.loads(shown.out)
    assert (facts["age_minutes"], facts["stale"], facts["values"], facts["most"]) == (90, False, 2, 2_000)
    assert not journal_of(community.with_name("environment.csv")).exists()
    listed = json.loads(call("feed", "list", "--json").out)
    assert listed["awattar-at"]["grade"] == "documented sample"


@pytest.mark.parametrize(
    ("hours", "age", "reason"),
    [
        (next_hours(2), 25 * HOUR, "was told 25 h ago and is stale after 24 h"),
        (next_hours(2, -5), 0, "last value ended"),
        (next_hours(2), -2 * HOUR, "which is to come"),
    ],
)
def test_what_is_stale_is_refused_with_its_age_and_leaves_nothing(community, tmp_path, hours, age, reason):
    told = tmp_path / "told.json"
    told.write_text(awattar(hours, [1, 2]))
    os.utime(told, (time.time() - age, time.time() - age))
    refused = call("feed", "fetch", community, "awattar-at", "--from", told)
    assert refused.code == 3
    assert reason in refused.err
    assert not journal_of(community.with_name("environment.csv")).exists()


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("awattar-at", "--from", "http://127.0.0.1:9/at"), "does not answer"),
        (("awattar-at", "--from", "none.json"), "does not answer"),
        (("awattar-at", "--from", "mqtt://127.0.0.1/#"), "one topic"),
        (("energy-charts-price",), "--set zone="),
        (("energy-charts-price", "--set", "zona=AT"), "it has zone"),
        (("entsoe", "--set", "zone=A", "--set", "start=1", "--set", "end=2"), "--token"),
        (("tibber",), "--token"),
    ],
)
def test_what_is_missing_is_named(words, reason):
    refused = call("feed", "show", *words)
    assert refused.code == 3
    assert reason in refused.err


def arrival(feed, column, starts, values, heard=1):
    return arrival_of(feed, b"", heard, FeedSeries(column, tuple(starts), tuple(values), HOUR))


def test_check_tells_the_age_of_each_column_and_calls_it_stale(tmp_path):
    path = write_community(tmp_path)
    measured = load_setting(path).measured
    starts = [measured.first_slot + HOUR * k for k in range(len(measured.consumption_wh))]
    fed(path)
    file = path.with_name("environment.csv")
    file.write_text(f"slot_start,{CARBON}\n")
    take_feed(file, HOUR, arrival("uk-carbon-intensity", CARBON, starts, [300] * len(starts), int(time.time()) - 5_400))
    checked = call("check", path)
    assert checked.code == 0, checked.err
    until = time_text(starts[-1] + HOUR)
    assert f"{CARBON}: uk-carbon-intensity told it until {until}, 1.5 h ago; stale, as nothing" in checked.out
    file.write_text(file.read_text().replace(",300", ",3", 1))
    assert "are not those of environment.csv.feeds" in call("check", path).err


def test_a_crash_between_journal_and_file_loses_nothing(tmp_path):
    file = tmp_path / "environment.csv"
    file.write_text(HEAD)
    take_feed(file, HOUR, arrival("p", PRICE, [0, HOUR], [5, 6]))
    before = file.read_text()
    take_feed(file, HOUR, arrival("c", CARBON, [0], [7]))
    after = file.read_text()
    file.write_text(before)  # as if the power had failed before the file was replaced
    with journal_of(file).open("ab") as journal:
        journal.write(b'{"what": "arrival", "fe')  # and in the middle of the next line
    take_feed(file, HOUR, arrival("c", CARBON, [HOUR], [8]))
    assert file.read_text() == after + f"{time_text(HOUR)},6,8\n"
    kept = read_feeds(journal_of(file))
    assert kept is not None
    assert len(kept[1]) == 3


def test_rows_that_somebody_changed_are_found(tmp_path):
    file = tmp_path / "environment.csv"
    file.write_text(HEAD + "1969-12-31T23:00Z,1,2\n")
    take_feed(file, HOUR, arrival("p", PRICE, [0, HOUR], [5, 6]))
    take_feed(file, HOUR, arrival("c", CARBON, [0, HOUR], [7, 8]))
    assert file.read_text().splitlines()[1:] == [
        "1969-12-31T23:00Z,1,2",
        "1970-01-01T00:00Z,5,7",
        "1970-01-01T01:00Z,6,8",
    ]
    file.write_text(file.read_text().replace(",6,8", ",6000,8"))
    with pytest.raises(StateError, match="are not those of"):
        feed_ages(file)
    fed(write_community(tmp_path))
    assert "are not those of" in lines_of_ages(tmp_path / "community.toml", 0)[0]  # a live market says so, and begins


def test_ages_are_told_while_a_feed_comes(tmp_path, monkeypatch):
    file = tmp_path / "environment.csv"
    file.write_text(HEAD)
    take_feed(file, HOUR, arrival("p", PRICE, [0, HOUR], [5, 6]))
    coming = [arrival("c", CARBON, [0, HOUR], [7, 8])]

    def read(journal):
        """What the journal holds, and then a feed comes."""
        found = read_feeds(journal)
        if coming:
            take_feed(file, HOUR, coming.pop())
        return found

    monkeypatch.setattr(taking, "read_feeds", read)
    assert [age.column for age in feed_ages(file)] == [PRICE]
    assert file.read_text().count("\n") == 3


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 6), st.integers(1, 4), st.integers(-9, 9)), max_size=12)
)
def test_rows_never_change_have_no_gap_and_follow_from_the_arrivals(told):
    rows = FedRows(("a", "b"), HOUR)
    seen: list[tuple[int, tuple[int, ...]]] = []
    for column, first, count, value in told:
        starts = tuple(HOUR * k for k in range(first, first + count))
        rows.take(FeedSeries(column, starts, (value,) * count, HOUR))
        assert rows.rows[: len(seen)] == seen
        seen = list(rows.rows)
        slots = [slot for slot, _ in seen]
        assert (np.diff(slots) == HOUR).all()
        for slot, values in seen:
            assert all(
                any(c == name and f * HOUR <= slot < (f + n) * HOUR and v == value for c, f, n, v in told)
                for name, value in zip("ab", values, strict=True)
            )


@pytest.mark.parametrize(
    ("profile", "answer", "header"),
    [
        ("tibber", TIBBER, ("Authorization", "Bearer abc-key")),
        ("electricity-maps", ELECTRICITY_MAPS, ("auth-token", "abc-key")),
    ],
)
def test_a_key_is_sent_as_its_publisher_wants_it_and_kept_nowhere(tmp_path, monkeypatch, profile, answer, header):
    heard = []

    class Publisher(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append((self.headers.get(header[0]), ""))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def do_POST(self):
            said = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.headers.get(header[0]), json.loads(said)["query"]))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Publisher) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        text = (FOLDER / f"{profile}.toml").read_text()
        here = re.sub(r'url = "https://[^/]+', f'url = "http://127.0.0.1:{server.server_port}', text)
        (tmp_path / "mine.toml").write_text(here)
        words = ["--set", "zone=AT"] if "{zone}" in text else []
        (tmp_path / "key").write_text("abc-key\n")
        by_file = call("feed", "show", tmp_path / "mine.toml", *words, "--token", tmp_path / "key")
        monkeypatch.setenv("TRANSACTIVE_FEED_TOKEN", "abc-key")
        by_name = call("feed", "show", tmp_path / "mine.toml", *words)
        server.shutdown()
        thread.join()
    assert by_file.code == by_name.code == 0, by_file.err
    assert {key for key, _ in heard} == {header[1]}
    assert all(("priceInfo" in asked) == (profile == "tibber") for _, asked in heard)
    assert "abc-key" not in by_file.out + by_file.err + by_name.out + by_name.err
    (tmp_path / "mine.toml").write_text(re.sub(r"url = .*", "", text))
    assert "--from" in call("feed", "show", tmp_path / "mine.toml").err
