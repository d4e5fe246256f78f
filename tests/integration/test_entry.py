"""Who comes in: by a link that dies on use, by a token until it expires or is revoked; nobody else, here as well."""

import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.test_api import LOCAL, bearer
from transactive.cli.token.actions import create_token
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.entry import BrowserEntry
from transactive.web.tokens import read_grants
from transactive.web.viewers import is_open_here, open_here


@pytest.fixture
def entry() -> BrowserEntry:
    return BrowserEntry()


@contextmanager
def served(folder: Path, entry: BrowserEntry | None) -> Iterator[TestClient[Litestar]]:
    with closing(Store(folder)) as store:
        app = build_app(folder, ChangeFeed(Reader(store)), local=True, entry=entry, port=8080)
        with TestClient(app, base_url=LOCAL, raise_server_exceptions=False) as client:
            yield client


def code_of(link: str) -> str:
    url, _, code = link.partition("#")
    assert url == f"{LOCAL}/enter"
    return code


def test_on_this_machine_too_a_run_shows_nothing_without_a_link_or_a_token(demo_run, entry):
    with served(demo_run.folder, entry) as client:
        for path in ("/", "/api/v1/members", "/verify", "/carbon"):
            answer = client.get(path)
            assert answer.status_code == 401
            assert "www-authenticate" not in answer.headers
        assert "Open the link that was printed" in client.get("/").text
        assert client.get("/static/base.css").status_code == client.get("/enter").status_code == 200


def test_a_link_lets_one_browser_in_once(demo_run, entry):
    code = code_of(entry.link(f"{LOCAL}/"))
    with served(demo_run.folder, entry) as client:
        entered = client.post("/enter", data={"code": code}, follow_redirects=False)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert client.get("/").status_code == 200
        assert client.get("/api/v1/members").status_code == 200
    with served(demo_run.folder, entry) as other:
        assert other.post("/enter", data={"code": code}).status_code == 401
        assert other.get("/").status_code == 401


def test_a_link_dies_after_ten_minutes(demo_run):
    now = [0.0]
    entry = BrowserEntry(clock=lambda: now[0])
    code = code_of(entry.link(f"{LOCAL}/"))
    now[0] = 600.0
    assert entry.enter(code) is None


@pytest.mark.parametrize("code", ["", "x", "é" * 100])
def test_a_guess_is_no_code(demo_run, entry, code):
    entry.link(f"{LOCAL}/")
    with served(demo_run.folder, entry) as client:
        assert client.post("/enter", data={"code": code}).status_code in (400, 401)


@pytest.mark.parametrize(
    "header", ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host", "x-forwarded-proto"]
)
def test_behind_a_proxy_nobody_is_the_operator_of_a_demo(demo_run, header):
    with served(demo_run.folder, None) as client:
        assert client.get("/").status_code == 200
        assert client.get("/", headers={header: "203.0.113.5"}).status_code == 401


def test_only_a_new_folder_of_a_demo_is_open(tmp_path):
    open_here(tmp_path / "new")
    assert is_open_here(tmp_path / "new")
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "market.sqlite").touch()
    open_here(tmp_path / "used")
    assert not is_open_here(tmp_path / "used")


def test_tokens_are_listed_expire_and_are_revoked(demo_run, tmp_path, entry, monkeypatch):
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / "market.sqlite").write_bytes((demo_run.folder / "market.sqlite").read_bytes())
    short = create_token(folder, "auditor", None, "for the audit", days=1)
    long = create_token(folder, "member", "house-04")
    with served(folder, entry) as client:
        assert client.get("/api/v1/members", headers=bearer(short)).status_code == 200
        listed = json.loads(call("token", "list", "--state", folder, "--json").out)["tokens"]
        assert [(row["scope"], row["member"], row["name"]) for row in listed] == [
            ("auditor", None, "for the audit"),
            ("member", "house-04", None),
        ]
        assert listed[0]["last_used"] is not None
        assert listed[1]["last_used"] is None
        assert short not in json.dumps(listed)
        tomorrow = time.time() + 86_400
        monkeypatch.setattr("transactive.web.authentication.time.time", lambda: tomorrow)
        assert client.get("/api/v1/members", headers=bearer(short)).status_code == 401
        assert client.get("/api/v1/members", headers=bearer(long)).status_code == 200
        assert call("token", "revoke", listed[1]["id"], "--state", folder).code == 0
        assert client.get("/api/v1/members", headers=bearer(long)).status_code == 401
    assert [grant.name for grant in read_grants(folder)] == ["for the audit"]
    assert call("token", "revoke", "ffff", "--state", folder).code == 3
    assert "for the audit" in call("token", "list", "--state", folder).out


def test_a_token_file_of_before_is_read(tmp_path):
    (tmp_path / "tokens.json").write_text('[{"sha256": "ab", "scope": "grid", "member": null}]')
    assert read_grants(tmp_path)[0].holds(2**40)
