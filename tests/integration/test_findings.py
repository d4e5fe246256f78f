"""A finding leads to its evidence: the meter's own days beside what was usual before, for who may see it."""

import re
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.test_api import MEMBER, SLOT, bearer, serving
from transactive.cli.token.actions import create_token
from transactive.core.items import Item, ItemState
from transactive.core.slots import DAY, parse_time
from transactive.store import Store
from transactive.store.live.standing import STANDING_FILE, LiveStanding, PlanFailure, write_standing
from transactive.store.read.runs import Reader
from transactive.store.read.totals import Counter
from transactive.store.write.items import save_items, set_state
from transactive.texts.page_terms import TERMS
from transactive.web.findings.page import finding_page
from transactive.web.history.part import Past

FIRST = parse_time("2017-06-09T07:00Z")  # midnight in Los Angeles
ITEM = Item(1, "unmetered energy", 13, FIRST, FIRST + 2 * DAY, 5_000, "less than its past says", 900_000, FIRST, FIRST)


@pytest.fixture(scope="module")
def state(demo_run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("findings")
    shutil.copyfile(demo_run.folder / "market.sqlite", folder / "market.sqlite")
    with closing(Store(folder)) as store:
        save_items(store, [ITEM, Item(2, "unmetered energy", None, FIRST, FIRST + DAY, 9, "feeder", 1, FIRST, FIRST)])
    return folder


def test_the_evidence_is_the_meters_own_days(state):
    with closing(Store(state)) as store:
        reader = Reader(store)
        run, position = reader.run(), reader.position()
        assert run is not None
        past = Past.of(reader, run, Counter(reader).totals(run, position).days, position)
        page = finding_page(past, ITEM)
    street = page["charts"][0]
    assert street["title"] == "From the street"
    assert street["chart"].count("k-warn") == 2 * 2  # two days, drawn wide and narrow
    assert "the mean of 5 days" in street["usual"]
    assert page["facts"][0] == ("Days concerned", "9 June to 10 June")


def test_the_community_page_and_the_members_own_lead_to_it(state):
    with serving(state) as client:
        assert 'href="/findings/1">Open' in client.get("/").text
        assert 'href="/findings/1">Open' in client.get(f"/member?member={MEMBER}").text
        assert "/findings/" not in client.get("/member?member=house-04").text
        page = client.get("/findings/1").text
    assert "house-17: unmetered energy" in page
    assert f'href="/member?member={MEMBER}&amp;day=2017-06-09"' in page


def test_what_a_device_did_not_do_is_shown_to_its_home_and_the_operator_with_the_reason(state):
    failures = (PlanFailure(13, 0, FIRST, "no answer"), PlanFailure(13, 0, FIRST + 60, "the charger <refuses>"))
    write_standing(state, LiveStanding(FIRST, FIRST, is_connected=True, backlog=0, failures=failures))
    with serving(state) as client:
        pages = [client.get(place).text for place in ("/", f"/member?member={MEMBER}", "/member?member=house-04")]
        metrics = client.get("/metrics")
    (state / STANDING_FILE).unlink()
    told = "house-17: the battery did not do what was planned 2 times"
    assert [told in page for page in pages] == [True, True, False]
    assert "the charger &lt;refuses&gt;; 9 June" in pages[1]
    assert 'transactive_market_plans_not_followed{member="house-17"} 2\n' in metrics.text
    assert metrics.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_each_sees_its_own_and_nothing_else(state):
    of = {
        "own": ("member", MEMBER),
        "other": ("member", "house-04"),
        "grid": ("grid", None),
        "audit": ("auditor", None),
    }
    headers = {name: bearer(create_token(state, *whose)) for name, whose in of.items()}
    with serving(state, local=False) as client:
        found = {
            (name, number): client.get(f"/findings/{number}", headers=header).status_code
            for name, header in headers.items()
            for number in (1, 2, 3)
        }
    assert {key for key, status in found.items() if status == 200} == {
        ("own", 1), ("grid", 2), ("audit", 1), ("audit", 2),
    }  # fmt: skip
    assert set(found.values()) == {200, 404}


def test_a_closed_finding_leaves_the_members_page_and_keeps_its_own(state):
    with closing(Store(state)) as store:
        set_state(store, 1, ItemState.CLOSED, FIRST + 3 * DAY)
    with serving(state) as client:
        assert "/findings/1" not in client.get(f"/member?member={MEMBER}").text
        assert "Finding, closed" in client.get("/findings/1").text


def test_every_question_mark_leads_to_a_word_and_every_document_is_there(state):
    root = Path(__file__).parents[2]
    with serving(state) as client:
        words = set(re.findall(r'<div id="([a-z]+)"><dt>', client.get("/help").text))
        asked = set()
        for path in ("/", f"/member?member={MEMBER}", "/carbon", "/grid", "/explorer", "/findings/1", f"/slots/{SLOT}"):
            asked |= set(re.findall(r'href="/help#([a-z]+)"', client.get(path).text))
    assert asked <= words == set(TERMS)
    assert len(asked) > 7
    assert all((root / term.document).is_file() for term in TERMS.values())


def test_people_say_what_they_know_hand_over_and_mute(demo_run, tmp_path):
    shutil.copyfile(demo_run.folder / "market.sqlite", tmp_path / "market.sqlite")
    with closing(Store(tmp_path)) as store:
        save_items(store, [ITEM])
    own, other = (bearer(create_token(tmp_path, "member", name)) for name in (MEMBER, "house-04"))
    auditor = bearer(create_token(tmp_path, "auditor", None))
    with serving(tmp_path) as client:
        assert "Nobody has it in hand yet." in client.get("/findings/1").text
        kept = client.post("/findings/1/notes", data={"kind": "note", "text": "<b>The meter was exchanged.</b>"})
        assert "&lt;b&gt;The meter was exchanged.&lt;/b&gt;" in kept.text
        assert client.post("/findings/1/notes", data={"kind": "note", "text": " "}).status_code == 400
        assert client.post("/findings/1/notes", data={"kind": "hand-over", "to": "nobody"}).status_code == 400
        assert client.post("/findings/2/notes", data={"kind": "note", "text": "x"}).status_code == 404
        client.post("/findings/1/notes", data={"kind": "mute", "days": "7"})
        page = client.get("/").text
        assert "Left out for now: 1" in page
        assert "Back into the list" in client.get("/findings/1").text
        client.post("/findings/1/notes", data={"kind": "unmute"})
        assert "Left out for now" not in client.get("/").text
    with serving(tmp_path, local=False) as client:
        said = {"kind": "note", "text": "We were away."}
        assert client.post("/findings/1/notes", data=said, headers=own, follow_redirects=False).status_code == 303
        assert "We were away." in client.get("/findings/1", headers=auditor).text
        assert client.post("/findings/1/notes", data=said, headers=other).status_code == 404
        assert client.post("/findings/1/notes", data=said, headers=auditor).status_code == 403
        assert client.post("/findings/1/notes", data={"kind": "mute", "days": "7"}, headers=own).status_code == 403
