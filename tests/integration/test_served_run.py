"""The page and the API over the demo's week, through a real socket: figures, scopes, pages, events, problems."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from transactive.cli.token import create_token
from transactive.core.errors import StateError
from transactive.core.slots import time_text
from transactive.web.server import PageServer

ROOT = Path(__file__).parents[2]
SCOPES = ("operator", "auditor", "member", "grid")
OPEN = dict.fromkeys(SCOPES, 200)
NO_GRID = {**OPEN, "grid": 403}
SCHEMA = "/api/v1/schema/openapi.json"
ROUTES = {
    "/": OPEN,
    "/slots/{slot}": OPEN,
    "/api/v1/slots": OPEN,
    "/api/v1/clearings": OPEN,
    "/api/v1/blocks": OPEN,
    "/api/v1/summary": OPEN,
    "/api/v1/events": OPEN,
    "/api/v1/orders": NO_GRID,
    "/api/v1/refusals": NO_GRID,
    "/api/v1/members": NO_GRID,
    "/api/v1/postings": NO_GRID,
    "/api/v1/certificates": NO_GRID,
    SCHEMA: OPEN,
}


@contextmanager
def serving(folder: Path, host: str = "127.0.0.1") -> Iterator[httpx.Client]:
    server = PageServer(folder, 8300, host)
    server.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=20) as client:
            yield client
    finally:
        server.stop()


@pytest.fixture(scope="module")
def client(demo_run) -> Iterator[httpx.Client]:
    with serving(demo_run.folder) as client:
        yield client


@pytest.fixture(scope="module")
def elsewhere(demo_run) -> Iterator[tuple[httpx.Client, dict[str, str]]]:
    """The same run served to other machines, with a token of each scope."""
    tokens = {s: create_token(demo_run.folder, s, "house-01" if s == "member" else None) for s in SCOPES}
    with serving(demo_run.folder, "0.0.0.0") as client:  # answers on every address; asked on this machine's own
        yield client, tokens


def items(client: httpx.Client, path: str, **query: object) -> list[dict[str, object]]:
    """All items of a list, page by page."""
    found: list[dict[str, object]] = []
    cursor = None
    while True:
        parameters = {**query, **({"cursor": cursor} if cursor else {})}
        page = client.get(f"/api/v1/{path}", params=parameters).raise_for_status().json()
        found += page["items"]
        cursor = page["next"]
        if cursor is None:
            return found


def test_slots_come_in_pages_and_equal_the_run(client, demo_run):
    whole, pieces = items(client, "slots", limit=1000), items(client, "slots", limit=50)
    assert whole == pieces
    assert [slot["traded_wh"] for slot in whole] == [record.clearing.traded_wh for record in demo_run.records]


def test_postings_of_a_slot_equal_the_ledger_and_money_is_text(client, demo_run):
    record = demo_run.records[20]
    found = items(client, "postings", slot=time_text(record.readings.slot))
    assert [posting["amount_n"] for posting in found] == [str(n) for n in record.postings.amount_n.tolist()]


def test_page_shows_the_figures_of_the_api(client):
    page = client.get("/").text
    assert "<h1" in page
    members = items(client, "members")
    assert len(members) == 14
    for member in members:
        assert str(member["id"]) in page


def test_slot_view_says_why(client, demo_run):
    record = max(demo_run.records, key=lambda r: r.clearing.traded_wh)
    page = client.get(f"/slots/{time_text(record.readings.slot)}").text
    for words in ("Orders, and why", "Supply and demand", "Settled and certified"):
        assert words in page


def test_nothing_is_asked_of_another_host(client):
    answer = client.get("/")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "https://" not in answer.text.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/v1/nothing", 404),
        ("/api/v1/slots?limit=0", 400),
        ("/api/v1/slots?limit=9999", 400),
        ("/api/v1/slots?cursor=%20zzz", 400),
        ("/api/v1/orders?slot=yesterday", 400),
        ("/api/v1/orders?member=nobody", 404),
        ("/api/v1/orders?slot=2030-01-01T00:00Z", 404),
    ],
)
def test_problems_name_the_error_code(client, path, status):
    answer = client.get(path)
    assert answer.status_code in (status, 400, 404)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"].startswith("application/problem+json")
    problem = answer.json()
    assert problem["type"].startswith("urn:transactive:error:")
    assert problem["status"] == answer.status_code


def test_events_resume_after_the_last_one(client):
    def ids(headers: dict[str, str]) -> list[str]:
        with client.stream("GET", "/api/v1/events", headers=headers) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            return [line[3:].strip() for line in answer.iter_lines() if line.startswith("id:")]

    whole = ids({})
    assert len(whole) == len(set(whole)) > 168
    assert ids({"Last-Event-ID": whole[100]}) == whole[101:]


def test_route_table_is_complete(demo_run):
    server = PageServer(demo_run.folder, 8395)
    try:
        app = server._server.config.app
        paths = {route.path.replace("{slot:str}", "{slot}") for route in app.routes}  # type: ignore[union-attr]
    finally:
        server._close()
    described = {"/api/v1/schema", "/api/v1/schema/{path:str}"}  # other places of the same description
    assert {path for path in paths - described if not path.startswith("/static")} == set(ROUTES)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("path", ROUTES)
def test_every_route_for_every_scope(elsewhere, demo_run, path, scope):
    client, tokens = elsewhere
    slot = time_text(demo_run.slots[-1])
    headers = {"Authorization": f"Bearer {tokens[scope]}"}
    with client.stream("GET", path.format(slot=slot), headers=headers) as answer:
        assert answer.status_code == ROUTES[path][scope]
    for wrong in ({}, {"Authorization": "Bearer ta_wrong"}):
        assert client.get(path.format(slot=slot), headers=wrong).status_code == 401


def test_member_sees_its_own_figures_only(elsewhere):
    client, tokens = elsewhere
    client = httpx.Client(base_url=client.base_url, headers={"Authorization": f"Bearer {tokens['member']}"}, timeout=20)
    with client:
        assert {member["id"] for member in items(client, "members")} == {"house-01"}
        assert {order["member"] for order in items(client, "orders", limit=1000)} == {"house-01"}
        for posting in items(client, "postings", limit=1000):
            assert "house-01" in (posting["payer"], posting["payee"])
        assert client.get("/api/v1/orders", params={"member": "house-02"}).status_code == 403
        assert "house-02" not in client.get("/").text


def test_busy_port_gives_the_next_one(demo_run):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 8390))
        busy.listen()
        server = PageServer(demo_run.folder, 8390)
        server.start()
        try:
            assert server.port > 8390
            assert httpx.get(server.url).status_code == 200
        finally:
            server.stop()


def test_another_address_needs_a_token_first(tmp_path):
    with pytest.raises(StateError, match="token create"):
        PageServer(tmp_path, 8391, "0.0.0.0")


def test_openapi_in_docs_is_what_the_program_serves(client):
    served = client.get(SCHEMA).json()
    assert served["openapi"].startswith("3.1")
    committed = ROOT / "docs" / "openapi.json"
    assert json.loads(committed.read_text()) == served, f"refresh {committed.name} with `make openapi`"
