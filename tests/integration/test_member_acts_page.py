"""A home acts on its page and through the API: seen, signed, done once, undone; and nobody acts in its place."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec.structs import replace

from tests.integration.samples import write_community
from tests.integration.test_accounts import SECURE, browser, join
from tests.integration.test_api import bearer
from tests.shared import made_once
from transactive.cli.token.actions import create_token
from transactive.config.setting import load_setting
from transactive.core.slot_book import SlotBook
from transactive.engine.authorisations import read, write
from transactive.engine.replay import replay, slots_from
from transactive.store import Store

FORM_KEY = re.compile(r'name="key" value="([^"]+)"')


class Stopped(Exception):
    """The run was stopped."""


def stop_after(number: int):
    """What stops a run after so many slots."""
    seen: list[SlotBook] = []

    def after(book: SlotBook) -> None:
        seen.append(book)
        if len(seen) == number:
            raise Stopped

    return after


def stopped(factory: pytest.TempPathFactory) -> Path:
    """A run of the small community that was stopped after twenty slots."""

    def make(folder: Path) -> None:
        setting = load_setting(write_community(folder))
        with pytest.raises(Stopped):
            replay(setting, slots_from(setting), folder / "state", seed="transactive", after_slot=stop_after(20))

    return made_once(factory, "stopped", make) / "state"


@pytest.fixture
def state(tmp_path_factory) -> Path:
    return stopped(tmp_path_factory)


@contextmanager
def home_b(state: Path) -> Iterator[TestClient[Litestar]]:
    """The browser of somebody who lives in home b."""
    with browser(state, SECURE) as client:
        assert join(client, state, "member", "b").status_code == 303
        yield client


@pytest.fixture
def home(state) -> Iterator[TestClient[Litestar]]:
    with home_b(state) as client:
        yield client


@pytest.fixture(scope="module")
def unchanged_home(tmp_path_factory) -> Iterator[TestClient[Litestar]]:
    """One for all tests in which nothing is changed."""
    with home_b(stopped(tmp_path_factory)) as client:
        yield client


def send(client, **fields):
    """Send a form of the card, with the key that it was shown with unless another is given."""
    shown = FORM_KEY.findall(client.get("/member").text)
    return client.post("/member/acts", data={"key": shown[0], **fields}, follow_redirects=False)


def log_of(client):
    return client.get("/api/v1/acts").json()["items"]


def test_limits_are_changed_on_the_page_hold_from_the_open_gate_and_are_undone(home):
    page = home.get("/member").text
    assert "No limits: your agent may trade at any price" in page
    assert (
        "A change holds from the slot of 6 June 2017, 22:00–23:00 on, whose gate closes at 6 June 2017, 21:00" in page
    )
    assert send(home, kind="limits", never_pay_above="20,5", sell_only_above="").headers["location"] == "/member#h-acts"
    page = home.get("/member").text
    assert "Never pay above 20.50 ct/kWh." in page
    assert 'value="20.5"' in page
    assert "waits for its gate" in page
    (act,) = log_of(home)
    assert (act["kind"], act["allows"]["never_pay_above_micro_per_kwh"], act["by"], act["counts"]) == (
        "limits", 205_000, "ada", False,
    )  # fmt: skip
    assert act["from_slot"] == "2017-06-06T22:00:00Z"
    assert send(home, kind="undo", number=act["number"]).status_code == 303
    assert "No limits: your agent may trade at any price" in home.get("/member").text
    assert [each["undoes"] for each in log_of(home)] == [None, act["number"]]


def test_a_home_that_keeps_its_key_is_told_so_and_shown_no_form_that_would_be_refused(home, state):
    with closing(Store(state)) as store:
        own = [replace(each, signature="") if each.authorisation.account == 1 else each for each in read(store)]
        write(store, own)
    page = home.get("/member").text
    assert "Your box trades with a key that your home alone has" in page
    assert "`transactive node pause` there pauses it" in page
    assert 'action="/member/acts"' not in page
    assert "which this program holds" not in page


def test_a_pause_is_taken_up_by_the_run_and_the_page_says_so(home, state):
    assert send(home, kind="pause", until="2017-06-07T00:00Z").status_code == 303
    page = home.get("/member").text
    assert "Paused until 7 June 2017, 00:00." in page
    assert "Trade again" in page
    setting = load_setting(state.parent / "community.toml")
    books: list[SlotBook] = []
    replay(setting, slots_from(setting), state, seed="transactive", after_slot=books.append)
    traded = {book.slot for book in books if (book.orders.member == 1).any()}
    first, until = 1_496_786_400, 1_496_793_600
    assert not {slot for slot in traded if first <= slot < until}
    assert {slot for slot in traded if slot >= until}
    (act,) = log_of(home)
    assert act["counts"]
    page = home.get("/member").text
    assert "This run is over" in page
    assert 'action="/member/acts"' not in page
    answer = send_again(home, act)
    assert answer.status_code == 409
    assert "this run is finished" in answer.json()["detail"]


def send_again(client, act):
    """Something else, by the API."""
    return client.post("/api/v1/acts", json={"kind": "resume"}, headers={"Idempotency-Key": f"after {act['number']}"})


def test_two_clicks_on_one_form_are_one_act(home):
    key = FORM_KEY.findall(home.get("/member").text)[0]
    for _ in range(2):
        assert (
            home.post("/member/acts", data={"kind": "limits", "key": key, "never_pay_above": "20"}).status_code == 200
        )
    assert len(log_of(home)) == 1
    answer = home.post("/member/acts", data={"kind": "pause", "key": key})
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    assert "used for another request" in answer.text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "limits", "never_pay_above": "cheap"}, "Never pay above is &#39;cheap&#39;"),
        ({"kind": "limits", "sell_only_above": "20 USD/kWh"}, "in USD; the currency of the community is EUR"),
        ({"kind": "limits", "never_pay_above": "9" * 9}, "beyond what a kWh can cost"),
        ({"kind": "pause", "until": "2017-06-06T00:00Z"}, "has to end after it begins"),
        ({"kind": "undo", "number": "77"}, "is not the newest"),
        ({"kind": "undo"}, "is no act of this page"),
        ({"kind": "everything"}, "is no act of this page"),
    ],
)
def test_a_form_that_makes_no_sense_changes_nothing_and_says_why(unchanged_home, fields, said):
    answer = send(unchanged_home, **fields)
    assert answer.status_code == 400
    assert said in answer.text
    assert log_of(unchanged_home) == []


def test_a_program_with_a_token_that_may_act_does_each_request_once(state):
    token = create_token(state, "member", "a", acts=True)
    with browser(state, SECURE) as client:
        limits = {"kind": "limits", "sell_only_above_micro_per_kwh": 110_000}
        headers = {**bearer(token), "Idempotency-Key": "2017-06-06 limits"}
        first = client.post("/api/v1/acts", json=limits, headers=headers)
        assert first.status_code == 201
        assert client.post("/api/v1/acts", json=limits, headers=headers).json() == first.json()
        other = client.post("/api/v1/acts", json={"kind": "pause"}, headers=headers)
        assert (other.status_code, other.json()["type"]) == (400, "urn:transactive:error:input")
        without = client.post("/api/v1/acts", json=limits, headers=bearer(token))
        assert without.status_code == 400
        for wrong in ({"kind": "limits", "never_pay_above": 1}, {"kind": "wish"}, {}, {"kind": "pause", "end": 5}):
            answer = client.post("/api/v1/acts", json=wrong, headers={**headers, "Idempotency-Key": "x"})
            assert answer.status_code == 400, wrong
        assert len(client.get("/api/v1/acts", headers=bearer(token)).json()["items"]) == 1


def test_nobody_acts_in_anothers_place(state):
    tokens = {scope: create_token(state, scope, None) for scope in ("operator", "grid", "auditor")}
    tokens["looks"] = create_token(state, "member", "a")
    with browser(state, SECURE) as client:
        for token in tokens.values():
            headers = {**bearer(token), "Idempotency-Key": "k"}
            assert client.post("/api/v1/acts", json={"kind": "pause"}, headers=headers).status_code == 403
            form = client.post("/member/acts", data={"kind": "pause", "key": "k"}, headers=headers)
            assert form.status_code == 403
        page = client.get("/member?member=a", headers=bearer(tokens["operator"])).text
        assert "Only the home itself changes this" in page
        assert 'action="/member/acts"' not in page
        evil = {"sec-fetch-site": "cross-site", **bearer(tokens["looks"])}
        assert client.post("/member/acts", data={"kind": "pause", "key": "k"}, headers=evil).status_code == 403
        assert client.get("/api/v1/acts", headers=bearer(tokens["auditor"])).json()["items"] == []


def test_members_see_their_own_log_and_the_operator_all(state):
    for member in ("a", "b"):
        token = create_token(state, "member", member, acts=True)
        with browser(state, SECURE) as client:
            headers = {**bearer(token), "Idempotency-Key": "k"}
            assert client.post("/api/v1/acts", json={"kind": "pause"}, headers=headers).status_code == 201
            assert {act["member"] for act in client.get("/api/v1/acts", headers=headers).json()["items"]} == {member}
    with browser(state, SECURE) as client:
        seen = client.get("/api/v1/acts?limit=1", headers=bearer(create_token(state, "auditor", None))).json()
        assert (seen["items"][0]["member"], seen["next"] is None) == ("a", False)


def test_without_the_keys_of_members_nothing_is_signed(state):
    with closing(Store(state)) as store:
        run = (store.setting("run") or "").replace('"seed": "transactive"', '"seed": "another"')
        store.set(run=run)
    token = create_token(state, "member", "a", acts=True)
    with browser(state, SECURE) as client:
        headers = {**bearer(token), "Idempotency-Key": "k"}
        answer = client.post("/api/v1/acts", json={"kind": "pause"}, headers=headers)
        assert answer.status_code == 409
        assert "the keys of its members are not here" in answer.json()["detail"]


def test_every_page_of_a_run_that_goes_on_asks_for_news_and_none_after_it_or_after_a_form(home, sample_state):
    pages = ("/", "/member", "/carbon", "/bills", "/explorer")
    for path in pages:
        assert " data-live>" in home.get(path).text
    assert " data-live>" not in send(home, kind="limits", never_pay_above="x").text  # asked for again it would be a GET
    with browser(sample_state, SECURE) as client:
        headers = bearer(create_token(sample_state, "operator", None))
        for path in (*pages, "/models", "/compare"):
            shown = client.get(path, headers=headers)
            assert shown.status_code == 200
            assert " data-live>" not in shown.text
