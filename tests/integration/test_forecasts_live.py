"""Forecasts that are submitted to a live market: sealed, then shown in time, by who may; replayed from the journal."""

import json
import re
import time
from contextlib import closing
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.samples import write_community
from tests.integration.test_api import ELSEWHERE, bearer
from tests.integration.test_submitted_forecasts import FORECASTERS, HEAD, OUTSIDE
from transactive.cli.forecast import submitting
from transactive.cli.token.actions import create_token
from transactive.config.setting import load_setting
from transactive.core.errors import InputError
from transactive.core.slots import time_text
from transactive.engine.live.arrived import ArrivedRecords
from transactive.engine.live.forecasts.desk import ForecastDesk
from transactive.engine.live.forecasts.journaled import JournaledForecasts
from transactive.engine.live.session import Pace, rehearse, replay_journal
from transactive.engine.replay import slots_from
from transactive.forecasting.pool.submissions import sealed
from transactive.services.forecasts.submitting import seal
from transactive.store import Store
from transactive.store.live.journal import JOURNAL_FILE, ArrivalKind, Journal, JournalReader
from transactive.store.model_records import SUBMITTED
from transactive.store.read.models import said
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed

HOUR, SALT = 3_600, "5a" * 32
SAYS = (1_000, 1_500, 2_000, 2_500, 3_000)
SLOTS = 7


def digest(name, slot, quantiles=SAYS):
    return sealed(name, slot, quantiles, bytes.fromhex(SALT)).hex()


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    """A rehearsal in which both submit for each slot, and `guesses` shows nothing; its state and community."""
    place = tmp_path_factory.mktemp("submitted")
    path = write_community(place)
    text = path.read_text().replace("[[members]]", FORECASTERS.format(model="pool") + "\n[[members]]", 1) + OUTSIDE
    path.write_text(re.sub("file = .*[.]csv.", "", text))
    setting, folder = load_setting(path), place / "state"
    slots = slots_from(setting)[:SLOTS]

    def after(book):
        """What comes in while the next slot is delivered: the journal's time is a little after this one's end."""
        ahead = book.slot + 3 * HOUR
        if ahead not in slots:
            return
        with closing(Store(folder)) as store:
            seal(store, "knows", [(time_text(ahead), digest("knows", ahead))])
            seal(store, "guesses", [(time_text(ahead), digest("guesses", ahead))])
        with closing(Journal(folder / JOURNAL_FILE)) as journal:  # a quarter of an hour before the gate
            gate = setting.community.clock.gate(ahead)
            desk = ForecastDesk(journal, setting.community.clock, slots, gate - 600)
            desk.show("knows", [(ahead, SAYS, SALT)])

    outcome, _ = rehearse(setting, slots, folder, seed="f", pace=Pace(), after_slot=after)
    return setting, slots, folder, outcome


def test_what_was_shown_in_time_is_heard_and_what_was_not_shown_is_kept_as_such(live):
    _, slots, folder, _ = live
    with closing(Store(folder)) as store:
        rows = {(row.slot, row.target): row.figures for row in said(store, slots[0], slots[-1])}
    heard = [slot for slot in slots if (slot, SUBMITTED + "knows") in rows]
    assert heard
    for slot in heard:
        assert rows[slot, SUBMITTED + "knows"][1, :5].tolist() == list(SAYS)
        assert len(rows[slot, SUBMITTED + "guesses"]) == 1


def test_nobody_waits_for_the_meter_of_who_has_none():
    found = ArrivedRecords(2, HOUR, 0, [1]).of(HOUR)
    assert found.there.tolist() == [False, True]
    assert found.quality.tolist() == [0, 0]


def test_a_replay_of_the_journal_hears_the_same(live, tmp_path):
    setting, slots, folder, outcome = live
    again, _ = replay_journal(setting, slots, folder / JOURNAL_FILE, tmp_path / "again", seed="f")
    assert again.summary.state_hash == outcome.summary.state_hash


def test_a_desk_takes_nothing_that_is_early_late_another_or_too_much(live, tmp_path):
    setting, slots, _, _ = live
    clock, slot = setting.community.clock, slots[5]
    gate = clock.gate(slot)
    with closing(Journal(tmp_path / JOURNAL_FILE)) as journal:
        desk = ForecastDesk(journal, clock, slots, gate - HOUR)
        for name in ("knows", "club"):
            desk.seal(name, [(slot, digest(name, slot))])
        before = journal.last
        for attempt, words in (
            (lambda: desk.show("knows", [(slot, SAYS, SALT)]), "forecasts are shown from"),
            (lambda: desk.seal("knows", [(slot, "00" * 32), (slots[-1] + HOUR, "00" * 32)]), "none of this market"),
            (lambda: desk.seal("knows", [(slot, "00" * 32)] * 2), "stands there twice"),
            (lambda: desk.seal("knows", []), "give 1 to"),
        ):
            with pytest.raises(InputError, match=words):
                attempt()
        late = ForecastDesk(journal, clock, slots, gate - 600)
        for attempt, words in (
            (lambda: late.seal("knows", [(slot, "00" * 32)]), "gate has closed"),
            (lambda: late.show("knows", [(slot, SAYS, "00" * 32)]), "not what knows sealed"),
            (lambda: late.show("guesses", [(slot, SAYS, SALT)]), "not what guesses sealed"),
            (lambda: late.show("knows", [(slot, SAYS[::-1], SALT)]), "not what knows sealed"),
        ):
            with pytest.raises(InputError, match=words):
                attempt()
        assert journal.last == before  # nothing of what was refused was written
        late.show("knows", [(slot, SAYS, SALT)])
        before = journal.last
        assert late.show("knows", [(slot, SAYS, SALT)]).last == before  # again: taken, and not written a second time
        assert JournaledForecasts(journal, clock).of(slot, gate) == {"knows": SAYS, "club": None}
        desk = ForecastDesk(journal, clock, slots, gate - 500)
        with pytest.raises(InputError, match="closed in this moment"):
            desk.show("club", [(slot, SAYS, SALT)])
        assert desk.show("knows", [(slot, SAYS, SALT)]).last == before  # it was heard
        with pytest.raises(InputError, match="closed in this moment"):
            desk.show("club", [(slot, SAYS, SALT)])  # it was not, though it stands there
    with closing(JournalReader(tmp_path / JOURNAL_FILE)) as journal:  # its replay hears up to the same entry
        assert JournaledForecasts(journal, clock).of(slot, gate) == {"knows": SAYS, "club": None}
        assert [entry.kind for entry in journal.after(0)].count(ArrivalKind.HEARD) == 1


def test_what_was_taken_while_the_gate_closed_counts(live, tmp_path):
    setting, slots, _, _ = live
    clock, slot = setting.community.clock, slots[5]
    gate = clock.gate(slot)

    class AtTheGate(JournaledForecasts):
        def _hear(self, journal, slot):
            with closing(Journal(journal.path)) as other:
                ForecastDesk(other, clock, slots, gate - 1).show("knows", [(slot, SAYS, SALT)])
            super()._hear(journal, slot)

    with closing(Journal(tmp_path / JOURNAL_FILE)) as journal:
        ForecastDesk(journal, clock, slots, gate - HOUR).seal("knows", [(slot, digest("knows", slot))])
        assert AtTheGate(journal, clock).of(slot, gate) == {"knows": SAYS}


def test_whoever_is_named_submits_over_the_api_and_an_outsider_sees_totals_alone(live):
    _, slots, folder, _ = live
    with closing(Store(folder)) as store:
        app = build_app(folder, ChangeFeed(Reader(store)), local=False)
        outside = bearer(create_token(folder, "forecaster", None, forecaster="guesses"))
        unknown = bearer(create_token(folder, "forecaster", None, forecaster="nobody"))
        member = bearer(create_token(folder, "member", "b", acts=True))
        other = bearer(create_token(folder, "member", "a", acts=True))
        body = {"seals": [{"slot": time_text(slots[-1]), "sha256": "00" * 32}]}
        with TestClient(app, base_url=ELSEWHERE) as client:
            for who, words in ((outside, "gate has closed"), (member, "gate has closed")):
                answer = client.post("/api/v1/forecasts/seals", json=body, headers=who)
                assert answer.status_code == 400
                assert words in answer.text
            for who in (unknown, other):
                answer = client.post("/api/v1/forecasts/seals", json=body, headers=who)
                assert answer.status_code == 403
                assert "is not among the community" in answer.text
            totals = client.get("/api/v1/forecasts/totals", headers=outside).json()["items"]
            assert len(totals) == SLOTS
            leaders = client.get("/api/v1/forecasts/leaderboard", headers=outside).json()["items"]
            assert {each["forecaster"] for each in leaders} == {"knows", "guesses"}
            assert next(each for each in leaders if each["forecaster"] == "guesses")["not_shown"] > 0
            for path in ("/", "/api/v1/members", "/api/v1/forecasts", "/api/v1/acts", "/predictions"):
                assert client.get(path, headers=outside).status_code == 403, path
            page = client.get("/predictions", headers=member).text
            assert "Who forecasts the total better than the market" in page


def test_the_command_keeps_salts_before_it_seals_and_shows_what_is_due(live, tmp_path, monkeypatch):
    _, _, folder, _ = live
    asked: list[tuple[str, dict[str, Any], bool]] = []

    class Market:
        def __init__(self, url, token, patience):
            assert (url, token) == ("http://127.0.0.1:1", "ta_x")

        def ask(self, place, most, said):
            asked.append((place, json.loads(said), (tmp_path / "kept.json").exists()))
            return json.dumps({"forecaster": "club", "slots": 2, "received": "2030-01-01T00:00Z"}).encode()

    monkeypatch.setattr(submitting, "HttpClient", Market)
    now = int(time.time()) // HOUR * HOUR
    rows = [f"{time_text(now + HOUR * ahead)},{','.join(map(str, SAYS))}" for ahead in (2, 9)]
    (tmp_path / "mine.csv").write_text("\n".join([HEAD, *rows]) + "\n")
    (tmp_path / "token").write_text("ta_x\n")
    own = ("--token-file", tmp_path / "token", "--url", "http://127.0.0.1:1")
    sent = ("forecast", "submit", tmp_path / "mine.csv", "--name", "club", "--keep", tmp_path / "kept.json", *own)
    assert call(*sent).code == 0
    kept = json.loads((tmp_path / "kept.json").read_bytes())["forecasts"]
    place, body, was_kept = asked[0]
    assert (place, was_kept) == ("/api/v1/forecasts/seals", True)
    assert body["seals"][0]["sha256"] == sealed("club", now + 2 * HOUR, SAYS, bytes.fromhex(kept[0]["salt"])).hex()
    assert "salt" not in str(body)
    assert "is there already" in call(*sent).err
    shown = call("forecast", "open", tmp_path / "kept.json", *own, "--gate", "0", "--window", "180", "--json")
    assert json.loads(shown.out)["left"] == 1
    assert [each["slot"] for each in asked[-1][1]["openings"]] == [time_text(now + 2 * HOUR)]
    printed = call("forecast", "leaderboard", "--state", folder, "--json")
    assert {each["forecaster"] for each in json.loads(printed.out)["leaderboard"]} == {"knows", "guesses"}
    assert "guesses" in call("forecast", "leaderboard", "--state", folder).out
