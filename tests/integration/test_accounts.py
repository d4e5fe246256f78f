"""People sign in: by a link that works once, with a password that no line but a private one carries."""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from urllib.parse import urlsplit

import pytest
from litestar.testing import TestClient

from tests.integration.test_api import ELSEWHERE, LOCAL
from transactive.core.errors import InputError, StateError
from transactive.core.slots import DAY
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.accounts import signing_in
from transactive.web.accounts.book import FILE, read_book, session_viewer
from transactive.web.accounts.rates import BY_ADDRESS, BY_NAME, BY_NAME_ANYWHERE, WINDOW, Rates
from transactive.web.api import routes
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.events import START, stream
from transactive.web.problems import TooMany

SECURE = ELSEWHERE.replace("http:", "https:")
PASSWORD, OTHER = "correct horse battery", "purple monkey dishwasher"
HOMES = ("a", "b", "c")
NOW = 1_800_000_000


@pytest.fixture(scope="module")
def state(sample_state, tmp_path_factory):
    return shutil.copytree(sample_state, tmp_path_factory.mktemp("accounts") / "state")


@contextmanager
def browser(folder, base_url):
    with closing(Store(folder)) as store:
        app = build_app(folder, ChangeFeed(Reader(store)), local=False)
        with TestClient(app, base_url=base_url, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture
def clean(state):
    (state / FILE).unlink(missing_ok=True)
    return state


def join(client, folder, scope, member=None, name="ada"):
    code = signing_in.invite(folder, scope, member, HOMES, int(time.time()))
    return client.post("/join", data={"code": code, "name": name, "password": PASSWORD}, follow_redirects=False)


def test_who_was_invited_joins_sees_its_own_and_signs_out(clean):
    with browser(clean, SECURE) as client:
        answer = join(client, clean, "member", "b")
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        cookie = answer.headers["set-cookie"]
        assert all(word in cookie.lower() for word in ("httponly", "samesite=strict", "secure"))
        assert [row["id"] for row in client.get("/api/v1/members").json()["items"]] == ["b"]
        assert client.get("/models").status_code == 403
        page = client.get("/account").text
        assert "this one" in page
        assert "Times are those of" in page
        assert re.search(r'<th scope="row">\d+ [A-Z][a-z]+ 20\d\d, \d\d:\d\d <span', page)
        assert "Who can sign in" not in page
        assert client.post("/account/invitations", data={"scope": "operator"}).status_code == 403
        assert client.post("/sign-out", follow_redirects=False).status_code == 303
        assert client.get("/api/v1/members").status_code == 401
        answer = client.get("/")
        assert answer.status_code == 401
        assert 'href="/sign-in"' in answer.text
        assert not [page for page in (answer.text, client.get("/sign-in").text) if 'href="/models"' in page]
        assert "www-authenticate" not in answer.headers
        signed = client.post("/sign-in", data={"name": "Ada", "password": PASSWORD}, follow_redirects=False)
        assert signed.status_code == 303
        assert client.get("/member").status_code == 200


def test_a_link_works_once_and_for_two_weeks_and_a_wrong_password_says_nothing_of_the_name(clean):
    code = signing_in.invite(clean, "auditor", None, HOMES, NOW)
    with pytest.raises(InputError, match="letters"):
        signing_in.join(clean, code, "eve", "short", NOW)
    with pytest.raises(InputError, match="has the name in it"):
        signing_in.join(clean, code, "eve", "my name is Eve", NOW)
    session = signing_in.join(clean, code, "eve", PASSWORD, NOW)
    with pytest.raises(InputError, match="was used"):
        signing_in.join(clean, code, "mallory", PASSWORD, NOW)
    late = signing_in.invite(clean, "auditor", None, HOMES, NOW)
    with pytest.raises(InputError, match="older than two weeks"):
        signing_in.join(clean, late, "late", PASSWORD, NOW + 14 * DAY)
    taken = signing_in.invite(clean, "auditor", None, HOMES, NOW)
    with pytest.raises(InputError, match="is taken"):
        signing_in.join(clean, taken, "EVE", PASSWORD, NOW)
    said = set()
    for name, password in (("eve", OTHER), ("nobody", OTHER)):
        with pytest.raises(InputError) as told:
            signing_in.sign_in(clean, name, password, NOW)
        said.add(str(told.value))
    assert len(said) == 1
    assert session_viewer(clean, session, NOW + 30 * DAY - 1) is not None
    assert session_viewer(clean, session, NOW + 30 * DAY) is None
    kept = (clean / FILE).read_text()
    assert not [secret for secret in (code, session, PASSWORD) if secret in kept]
    assert "$argon2id$" in kept
    assert (clean / FILE).stat().st_mode & 0o077 == 0


def test_a_password_is_not_taken_over_a_line_that_others_read(clean):
    code = signing_in.invite(clean, "operator", None, HOMES, int(time.time()))
    with browser(clean, ELSEWHERE) as client:
        for page in ("/sign-in", "/join"):
            text = client.get(page).text
            assert "can be read by others" in text
            assert 'type="password"' not in text
        for path, data in (
            ("/sign-in", {"name": "x", "password": PASSWORD}),
            ("/join", {"code": code, "password": PASSWORD}),
        ):
            answer = client.post(path, data=data)
            assert (answer.status_code, "plain HTTP" in answer.text) == (403, True)
    assert read_book(clean).accounts == []


def test_lost_access_a_changed_password_and_a_removed_account_end_sessions(clean):
    code = signing_in.invite(clean, "operator", None, HOMES, NOW)
    first = signing_in.join(clean, code, "ada", PASSWORD, NOW)
    second = signing_in.sign_in(clean, "ada", PASSWORD, NOW)
    with pytest.raises(InputError, match="old password"):
        signing_in.change_password(clean, "ada", OTHER, OTHER, first, NOW)
    signing_in.change_password(clean, "ada", PASSWORD, OTHER, first, NOW)
    assert session_viewer(clean, first, NOW) is not None
    assert session_viewer(clean, second, NOW) is None
    again = signing_in.invite(clean, "", None, HOMES, NOW, account="ada")
    third = signing_in.join(clean, again, "ignored", PASSWORD, NOW)
    assert session_viewer(clean, first, NOW) is None
    viewer = session_viewer(clean, third, NOW)
    assert viewer is not None
    assert (viewer.scope, viewer.account) == ("operator", "ada")
    signing_in.remove(clean, "ada", NOW)
    assert session_viewer(clean, third, NOW) is None
    with pytest.raises(InputError, match="no account"):
        signing_in.invite(clean, "", None, HOMES, NOW, account="ada")


def test_the_operator_invites_and_removes_on_the_page(clean):
    with browser(clean, SECURE) as operator, browser(clean, SECURE) as guest:
        assert join(operator, clean, "operator").status_code == 303
        page = operator.post("/account/invitations", data={"scope": "member", "member": "c"})
        found = re.search(r'id="link">([^<]+)<', page.text)
        assert found
        link = urlsplit(found[1])
        assert (link.path, link.netloc) == ("/join", urlsplit(SECURE).netloc)
        data = {"code": link.fragment, "name": "Bo Smith", "password": PASSWORD}
        assert guest.post("/join", data=data, follow_redirects=False).status_code == 303
        assert guest.get("/member").status_code == 200
        assert "Bo Smith" in operator.get("/account").text
        assert operator.post("/account/people/Bo%20Smith/remove").status_code == 200
        assert guest.get("/member").status_code == 401
        assert operator.post("/account/invitations", data={"scope": "member", "member": "z"}).status_code == 400


def test_a_link_that_was_withdrawn_lets_nobody_in(clean):
    with browser(clean, SECURE) as operator:
        assert join(operator, clean, "operator").status_code == 303
        code = signing_in.invite(clean, "member", "b", HOMES, int(time.time()))
        found = re.search(r"/account/invitations/(\w+)/withdraw", operator.get("/account").text)
        assert found
        page = operator.post(found[0])
        assert (page.status_code, "withdrawn" in page.text, found[0] in page.text) == (200, True, False)
        assert operator.post(found[0]).status_code == 400
        with pytest.raises(InputError, match="was used"):
            signing_in.join(clean, code, "bo", PASSWORD, int(time.time()))


def test_who_is_signed_out_hears_no_more_events(clean, monkeypatch):
    asked = []

    def heard(reader, feed, after, still):
        asked.append(still)
        return stream(reader, feed, after, still)

    monkeypatch.setattr(routes, "stream", heard)
    with browser(clean, SECURE) as client:
        assert join(client, clean, "auditor").status_code == 303
        assert "event: end" in client.get("/api/v1/events").text
        assert asked[0]() is True
        signing_in.remove(clean, "ada", int(time.time()))
        assert asked[0]() is False
    with closing(Store(clean)) as store:
        reader = Reader(store)
        answers = iter((True, False))
        told = asyncio.run(_all(stream(reader, ChangeFeed(reader), START, lambda: next(answers))))
    assert told
    assert "end" not in {each.event for each in told}


async def _all(messages):
    return [each async for each in messages]


def test_only_two_passwords_are_hashed_at_once(clean, monkeypatch):
    at_once, most, pairs = [0], [0], threading.Barrier(2)

    class Slow:
        def verify(self, *_):
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
            pairs.wait(30)
            at_once[0] -= 1
            return False

    monkeypatch.setattr(signing_in, "_hasher", Slow)
    monkeypatch.setattr(signing_in, "_nobody", lambda: "")
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda k: _refused(clean, f"name{k}"), range(8)))
    assert (told, most) == ([True] * 8, [2])


def _refused(folder, name):
    with pytest.raises(InputError, match="not right"):
        signing_in.sign_in(folder, name, PASSWORD, NOW)
    return True


def test_questions_for_passkeys_are_limited_by_address_so_nobody_pushes_out_those_of_others(clean):
    with browser(clean, SECURE) as client:
        ask = partial(client.post, "/sign-in/passkey/question", json={}, headers={"Origin": SECURE})
        codes = [ask().status_code for _ in range(BY_ADDRESS + 1)]
    assert codes == [200] * BY_ADDRESS + [429]


def test_tries_are_limited_by_name_and_forgotten_in_time(clean):
    now = [0.0]
    rates = Rates(clock=lambda: now[0])
    for k in range(BY_NAME):
        rates.admit("ada" + " " * k, f"2001:db8::{k}")
    with pytest.raises(TooMany) as told:
        rates.admit("ADA", "2001:db8::ffff")
    assert int((told.value.headers or {})["Retry-After"]) <= WINDOW + 1
    rates.admit("bo", "2001:db8::1")
    now[0] = WINDOW + 1.0
    rates.admit("ada", "2001:db8::1")
    with browser(clean, SECURE) as client:
        answers = [client.post("/sign-in", data={"name": "x", "password": "y"}).status_code for _ in range(BY_NAME + 1)]
    assert answers == [400] * BY_NAME + [429]


def test_a_stranger_keeps_nobody_out_who_comes_from_elsewhere(clean):
    rates = Rates(clock=lambda: 0.0)
    for address in ("10.0.0.1", "10.0.0.2", "10.0.0.3"):
        for _ in range(BY_NAME):
            rates.admit("ada", address)
        with pytest.raises(TooMany):
            rates.admit("ada", address)
    rates.admit("ada", "10.0.1.1")
    rates.forget("ada", "10.0.1.1")
    for k in range(BY_NAME_ANYWHERE - 3 * BY_NAME):
        rates.admit("ada", f"10.1.0.{k}")
    with pytest.raises(TooMany):
        rates.admit("ada", "10.2.0.1")
    for _ in range(2 * BY_ADDRESS):  # a household or a proxy in which people sign in without a mistake
        rates.admit("bo", "10.3.0.1")
        rates.forget("bo", "10.3.0.1")
    with browser(clean, SECURE) as client:
        for _ in range(BY_NAME + 1):
            assert client.post("/join", data={"code": "junk", "name": "x", "password": PASSWORD}).status_code == 400
        assert join(client, clean, "auditor").status_code == 303


def test_who_has_no_invitation_costs_no_work_and_a_new_password_ends_all_links_for_one(clean, monkeypatch):
    signing_in.join(clean, signing_in.invite(clean, "auditor", None, HOMES, NOW), "ada", PASSWORD, NOW)
    lost, used, third = (signing_in.invite(clean, "", None, HOMES, NOW, account="ada") for _ in range(3))
    with pytest.raises(InputError, match="has the name in it"):
        signing_in.join(clean, used, "", "this is ada again", NOW)
    session = signing_in.join(clean, used, "", OTHER, NOW)
    late = signing_in.invite(clean, "", None, HOMES, NOW, account="ada")
    signing_in.change_password(clean, "ada", OTHER, PASSWORD, session, NOW)
    monkeypatch.setattr(signing_in, "_hasher", lambda: pytest.fail("a password was hashed"))
    for code in (lost, third, late, "junk"):
        with pytest.raises(InputError, match="was used"):
            signing_in.join(clean, code, "", PASSWORD, NOW)


def test_two_who_change_accounts_at_once_lose_nothing(clean):
    codes = [signing_in.invite(clean, "auditor", None, HOMES, NOW) for _ in range(4)]
    threads = [
        threading.Thread(target=signing_in.join, args=(clean, code, f"name{k}", PASSWORD, NOW))
        for k, code in enumerate(codes)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    book = read_book(clean)
    assert sorted(each.name for each in book.accounts) == ["name0", "name1", "name2", "name3"]
    assert (len(book.sessions), book.invitations) == (4, [])


def test_a_file_that_cannot_be_understood_lets_nobody_in(clean):
    (clean / FILE).write_text("{")
    with pytest.raises(StateError, match="cannot be read"):
        read_book(clean)
    with browser(clean, LOCAL) as client:
        client.cookies.set("transactive-session-80", "x")
        assert client.get("/account").status_code == 409


def test_a_person_keeps_the_language_in_every_browser(clean):
    liked = {"accept-language": "fr"}
    with browser(clean, SECURE) as client:
        join(client, clean, "member", "b")
        assert '<html lang="fr"' in client.get("/member", headers=liked).text
        client.post("/language", data={"language": "de"})
        assert '<html lang="de"' in client.get("/member", headers=liked).text
    with browser(clean, SECURE) as client:
        assert '<html lang="fr"' in client.get("/sign-in", headers=liked).text
        client.post("/sign-in", data={"name": "ada", "password": PASSWORD}, follow_redirects=False)
        assert '<html lang="de"' in client.get("/member", headers=liked).text
