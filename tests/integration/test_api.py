"""The API as a program meets it: pages, problems, scopes, events, and the description that it keeps to."""

import base64
import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from tests.integration.conftest import call
from transactive.cli.token.actions import create_token
from transactive.core.errors import DataError, InputError, StateError
from transactive.core.postings import PostingKind
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.openapi import description
from transactive.web.problems import describe
from transactive.web.tokens import FILE as TOKENS
from transactive.web.viewers import INSIDE, SCOPES, Scope

ROOT = Path(__file__).parents[2]
LOCAL, ELSEWHERE = "http://127.0.0.1:8080", "http://community.example:8080"
SLOT = "2017-06-08T03:00:00Z"
MEMBER = "house-17"


@contextmanager
def serving(folder: Path, *, local: bool = True) -> Iterator[TestClient[Litestar]]:
    with closing(Store(folder)) as store:
        app = build_app(folder, ChangeFeed(Reader(store)), local=local)
        with TestClient(app, base_url=LOCAL if local else ELSEWHERE, raise_server_exceptions=False) as client:
            yield client


@pytest.fixture(scope="module")
def client(demo_run):
    with serving(demo_run.folder) as client:
        yield client


@pytest.fixture(scope="module")
def tokens(demo_run, tmp_path_factory):
    """The demo's state beside a token of each scope, and an app that others could reach."""
    folder = tmp_path_factory.mktemp("tokens")
    (folder / "market.sqlite").write_bytes((demo_run.folder / "market.sqlite").read_bytes())
    made = {scope: scoped_token(folder, scope, MEMBER, acts=True) for scope in SCOPES}
    with serving(folder, local=False) as client:
        yield client, made, folder


def scoped_token(folder: Path, scope: Scope, member: str, *, acts: bool = False) -> str:
    """A token of a scope: a member's is of this one, and may act."""
    if scope == "forecaster":
        return create_token(folder, scope, None, forecaster="club")
    return create_token(folder, scope, member if scope == "member" else None, acts=acts and scope == "member")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def every(client, url: str, limit: int = 1000, headers: dict[str, str] | None = None) -> list[dict[str, Any]]:
    """All items of a resource, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        joint = "&" if "?" in url else "?"
        after = f"&cursor={cursor}" if cursor else ""
        answer = client.get(f"{url}{joint}limit={limit}{after}", headers=headers)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


# -- figures --------------------------------------------------------------------------------------


def test_every_resource_gives_what_the_run_wrote(client, demo_run):
    records = demo_run.records
    assert len(every(client, "/api/v1/slots")) == len(records)
    assert sum(item["traded_wh"] for item in every(client, "/api/v1/clearings")) == demo_run.outcome.summary.traded_wh
    assert len(every(client, "/api/v1/orders")) == demo_run.outcome.summary.orders
    assert len(every(client, "/api/v1/postings")) == sum(len(record.postings) for record in records)
    assert len(every(client, "/api/v1/certificates")) == sum(len(record.certificates) for record in records)
    assert len(every(client, "/api/v1/blocks")) == len(records)
    assert every(client, "/api/v1/refusals") == []


def test_money_is_text_and_sums_to_zero_over_all_accounts(client):
    net: dict[str, int] = {}
    for posting in every(client, "/api/v1/postings"):
        assert isinstance(posting["amount_n"], str)
        if posting["kind"] not in (PostingKind.ADVANCE.name.lower(), PostingKind.DIVIDEND.name.lower()):
            energy_n = posting["energy_wh"] * abs(posting["price"])
            assert int(posting["amount_n"]) == energy_n + posting["credits_kg"] * posting["price_per_t"]
        net[posting["payer"]] = net.get(posting["payer"], 0) - int(posting["amount_n"])
        net[posting["payee"]] = net.get(posting["payee"], 0) + int(posting["amount_n"])
    assert sum(net.values()) == 0
    assert (net["escrow"], net["pool"]) == (0, 0)


def test_members_saved_what_summary_says(client, demo_run):
    members, summary = every(client, "/api/v1/members"), client.get("/api/v1/summary").json()
    assert sum(int(member["saved_n"]) for member in members) == int(summary["saved_n"])
    assert summary["ledger_equals_chain_at_block"] == demo_run.outcome.summary.chain.height
    assert (summary["finished"], summary["delivered_slots"], summary["money_residual_n"]) == (True, 168, "0")
    for member, bill in zip(members, demo_run.outcome.bills, strict=True):
        assert (member["id"], member["with_market_n"]) == (bill.id, str(bill.with_market_n))


def test_insights_are_those_that_the_run_told_with_money_as_text(client, demo_run):
    told = every(client, "/api/v1/insights")
    assert [one["member"] for one in told] == demo_run.setting.community.ids
    bill = told[3]["findings"][0]
    assert (bill["kind"], told[3]["time"]) == ("bill", "2017-06-12T00:00:00Z")
    assert int(bill["figures"]["low_n"]) < int(bill["figures"]["mean_n"]) < int(bill["figures"]["high_n"])
    assert isinstance(bill["figures"]["days"], int)
    assert [one["member"] for one in every(client, "/api/v1/insights?member=house-17")] == ["house-17"]


def test_forecasts_of_a_slot_are_ordered_and_stand_beside_what_came(client, demo_run):
    record, ids = demo_run.records[75], demo_run.setting.community.ids
    told = client.get(f"/api/v1/forecasts?slot={SLOT}").json()["items"]
    used = {one["member"]: one for one in told if one["target"] == "consumption"}
    assert [used[name]["came"] for name in ids] == record.readings.consumption_wh.tolist()
    assert {one["forecaster"] for one in used.values()} == {"regression no. 1"}
    assert {one["issued"] for one in used.values()} == {"2017-06-07T23:00:00Z"}
    for one in told:
        assert one["q05"] <= one["q25"] <= one["q50"] <= one["q75"] <= one["q95"]
        assert one["issued"] < one["slot"]
    whole = next(one for one in told if (one["target"], one["ahead"]) == ("community", "slot"))
    assert whole["member"] is None
    assert whole["came"] == int((record.readings.consumption_wh - record.readings.generation_wh).sum())


def test_models_events_and_days_say_who_forecasts_and_how_well(client):
    models, events = every(client, "/api/v1/models", limit=1), every(client, "/api/v1/model-events", limit=2)
    assert [model["number"] for model in models] == list(range(1, len(models) + 1))
    champion = next(model for model in models if model["status"] == "champion")
    assert champion["target"] == "consumption"
    assert champion["p_value"] < 0.05
    assert champion["learnt_until"] < "2017-05-08"
    assert {event["kind"] for event in events} == {"trained", "promoted"}
    days = client.get("/api/v1/model-days").json()["items"]
    judged = [day for day in days if day["counted"]]
    assert len(judged) == 7
    assert 0.85 < sum(day["inside"] for day in judged) / sum(day["counted"] for day in judged) < 0.96
    assert client.get("/api/v1/model-days?target=wind").status_code == 404


def test_one_slot_and_one_member_can_be_asked_for(client, demo_run):
    record = demo_run.records[75]
    orders = every(client, f"/api/v1/orders?slot={SLOT}&member={MEMBER}")
    mine = record.orders.member == demo_run.setting.community.ids.index(MEMBER)
    assert [order["energy_wh"] for order in orders] == record.orders.energy_wh[mine].tolist()
    assert {(order["member"], order["slot"]) for order in orders} == {(MEMBER, SLOT)}
    assert [c["slot"] for c in every(client, f"/api/v1/clearings?slot={SLOT}")] == [SLOT]
    for resource in ("postings", "certificates", "blocks", "refusals"):
        assert all(item["slot"] == SLOT for item in every(client, f"/api/v1/{resource}?slot={SLOT}"))
    assert [member["id"] for member in every(client, f"/api/v1/members?member={MEMBER}")] == [MEMBER]


def test_a_slot_without_a_trade_has_no_price(client):
    for item in every(client, "/api/v1/slots"):
        assert (item["price"] is None) == (item["traded_wh"] == 0)


# -- cursor pages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("resource", ["slots", "clearings", "members", "blocks", f"certificates?slot={SLOT}"])
@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_of_any_size_give_the_same_items_once(client, resource, limit):
    url = f"/api/v1/{resource}"
    assert every(client, url, limit) == every(client, url)


def test_a_last_page_that_is_full_has_no_next(client):
    assert client.get("/api/v1/slots?limit=168").json()["next"] is None
    assert client.get("/api/v1/slots?limit=167").json()["next"] is not None


def cursor_of(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "ü",
        "%00",
        cursor_of("slots"),
        cursor_of([]),
        cursor_of({}),
        cursor_of(["clearings"]),
        cursor_of(["clearings", "a"]),
        cursor_of(["clearings", 1, 2]),
        cursor_of(["orders", 1]),
        cursor_of(["clearings", 2**64]),
        cursor_of(["clearings", 1.5]),
    ],
)
def test_a_foreign_cursor_is_refused_by_name(client, cursor):
    answer = client.get(f"/api/v1/clearings?cursor={cursor}")
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:transactive:error:input"
    assert answer.json()["detail"].startswith("cursor:")


# -- problems -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "status", "code", "word"),
    [
        ("/api/v1/nothing", 404, "not-found", ""),
        ("/api/v1/slots?limit=0", 400, "input", "limit"),
        ("/api/v1/slots?limit=1001", 400, "input", "limit"),
        ("/api/v1/slots?limit=many", 400, "input", "limit"),
        ("/api/v1/orders?slot=yesterday", 400, "input", "RFC 3339"),
        ("/api/v1/orders?slot=2017-06-08T03:00:00", 400, "input", "zone"),
        ("/api/v1/orders?slot=2017-06-08T03:30:00Z", 404, "not-found", "not in this run"),
        ("/api/v1/orders?slot=2018-06-08T03:00:00Z", 404, "not-found", "not in this run"),
        ("/api/v1/members?member=house-99", 400, "input", "house-99"),
        ("/api/v1/events?after=never", 400, "input", "event id"),
    ],
)
def test_errors_are_problems_whose_type_is_the_code(client, url, status, code, word):
    answer = client.get(url)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (status, status)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert problem["type"] == f"urn:transactive:error:{code}"
    assert word in problem["detail"]
    assert problem["title"]


def test_another_method_is_a_problem_too(client):
    answer = client.post("/api/v1/slots")
    assert (answer.status_code, answer.json()["type"]) == (405, "urn:transactive:error:method")


def test_errors_of_the_program_keep_their_code():
    assert describe(DataError("readings.csv: row 3")).kind == "urn:transactive:error:data"
    assert (describe(StateError("gone")).status, describe(InputError("bad")).status) == (409, 400)


def test_a_fault_of_the_server_says_nothing_of_its_insides(client, monkeypatch, caplog):
    def fail(_: object) -> None:
        raise RuntimeError("secret path")

    monkeypatch.setattr(Reader, "run", fail)
    answer = client.get("/api/v1/slots")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:transactive:error:bug")
    assert "secret" not in answer.text
    assert "secret path" in caplog.text


def test_pages_tell_errors_in_words(client):
    answer = client.get("/slots/2030-01-01T00:00Z")
    assert answer.status_code == 404
    assert "<h1" in answer.text
    assert "not in this run" in answer.text


def test_what_a_page_does_not_know_is_named_and_not_answered_with_something_else(client):
    answer = client.get("/member?id=house-04")
    assert answer.status_code == 400
    assert "?id=: /member knows member, span, day, first and last; correct the address" in answer.text
    assert client.get(f"/member?member={MEMBER}").status_code == 200


def test_an_address_with_nothing_says_so_once_and_what_to_do(client):
    text = client.get("/nothing").text
    assert text.count("Not Found") == 2  # the title of the window, and of the page
    assert "There is nothing at this address" in text


def test_credits_are_kilograms_in_the_api_and_on_the_pages(client, demo_run):
    offsets = [item for item in every(client, "/api/v1/postings") if item["kind"] == "offset"]
    assert sum(item["credits_kg"] for item in offsets) == demo_run.outcome.summary.carbon.offsets.members_kg
    for item in offsets:
        assert (item["energy_wh"], item["price"]) == (0, 0)
        assert int(item["amount_n"]) == item["credits_kg"] * item["price_per_t"]
    last = offsets[-1]
    page = client.get(f"/member?member={last['payer']}&day={last['slot']}").text
    line = page[page.index("Carbon credits bought and retired") :][:200]
    assert f"{last['credits_kg']} kg" in line
    assert " USD/t" in line
    assert "Wh" not in line
    assert " kg</td>" in client.get(f"/slots/{last['slot']}").text


def test_shares_of_sources_add_up_to_a_hundred(client, demo_run):
    for member in demo_run.setting.community.ids:
        page = client.get(f"/member?member={member}").text
        shares = re.findall(r'kWh</td><td class="n">(\d+) %</td>', page)
        assert len(shares) == 4
        assert sum(map(int, shares)) == 100, member


def test_a_chosen_day_is_shown_with_its_own_last_slot(client):
    page = client.get(f"/member?member={MEMBER}&day=2017-06-08T12:00Z").text
    assert "Last slot of the day, 23:00–00:00" in page
    assert "/slots/2017-06-09T06:00Z" in page  # 23:00 in Los Angeles
    assert "Your battery holds" not in page
    assert "Last slot of the day" not in client.get(f"/member?member={MEMBER}").text


def test_a_community_without_lines_has_an_empty_grid_that_no_menu_leads_to(client, tokens):
    assert "No lines are known" in client.get("/grid").text
    assert 'href="/grid"' not in client.get("/").text
    elsewhere, made, _ = tokens
    assert 'href="/grid"' in elsewhere.get("/grid", headers=bearer(made["grid"])).text
    for path in ("loads", "forecasts", "interventions"):
        assert client.get(f"/api/v1/grid/{path}?slot={SLOT}").json() == {"items": [], "next": None}


# -- access ---------------------------------------------------------------------------------------

ALL = dict.fromkeys(INSIDE, 200)
NOT_GRID = {**ALL, "grid": 403}
NOT_MEMBER = {**ALL, "member": 403}
BILLED: dict[Scope, int] = {"member": 200, "operator": 200, "grid": 403, "auditor": 403}
FORM_MISSING: dict[Scope, int] = dict.fromkeys(INSIDE, 400)  # a token has no account
NO_PAPER: dict[Scope, int] = {"member": 404, "operator": 404, "grid": 403, "auditor": 403}  # there is none here
OPERATOR: dict[Scope, int] = {"member": 403, "operator": 200, "grid": 403, "auditor": 403}
MEMBERS: dict[Scope, int] = {**dict.fromkeys(INSIDE, 403), "member": 400}  # nothing is said
SUBMITTING: dict[Scope, int] = {"member": 400, "operator": 403, "grid": 403, "auditor": 403, "forecaster": 400}
OPERATORS_FORM: dict[Scope, int] = {**dict.fromkeys(INSIDE, 403), "operator": 400}  # nothing is said
ROUTES: dict[str, dict[Scope, int]] = {
    "/": ALL,  # who sees lines only is led to them
    "/slots/{slot}": NOT_GRID,
    "/explorer": NOT_GRID,
    "/explorer/slots/{slot}": NOT_GRID,
    "/explorer/slots/{slot}/{member}": {"member": 409, "operator": 409, "auditor": 409, "grid": 403},  # no chain here
    "/predictions": NOT_GRID,
    "/api/v1/forecasts/leaderboard": {**NOT_GRID, "forecaster": 200},
    "/api/v1/forecasts/totals": {**NOT_GRID, "forecaster": 200},
    "/api/v1/forecasts/seals": SUBMITTING,
    "/api/v1/forecasts/openings": SUBMITTING,
    "/help": ALL,
    "/language": dict.fromkeys(SCOPES, 400),  # no language is named
    "/findings/{number}": dict.fromkeys(INSIDE, 404),  # there is none here
    "/findings/{number}/notes": {"member": 400, "operator": 400, "grid": 403, "auditor": 403},
    "/privacy/consents": MEMBERS,
    "/privacy/complaints": MEMBERS,
    "/privacy/complaints/{number}": {"member": 400, "operator": 400, "grid": 403, "auditor": 403},
    "/deciding": NOT_GRID,
    "/deciding/{number}": {**dict.fromkeys(INSIDE, 404), "grid": 403},  # there is none here
    "/deciding/acts": MEMBERS,
    "/rules": OPERATOR,
    "/rules/drafts": OPERATORS_FORM,
    "/rules/blocks": OPERATORS_FORM,
    "/rules/undo": OPERATORS_FORM,
    "/carbon": NOT_GRID,
    "/bills": BILLED,
    "/papers": OPERATORS_FORM,
    "/papers/{month}": {**OPERATORS_FORM, "operator": 404},
    "/metrics": OPERATOR,
    "/readings": OPERATOR,
    "/readings/held": {**OPERATOR, "operator": 400},  # nothing is said
    "/readings/{token}": {**OPERATOR, "operator": 400},  # no such file waits here
    "/member": NOT_GRID,
    "/member/acts": MEMBERS,
    "/member/drafts": {**MEMBERS, "member": 400},  # nothing is answered
    "/member/statement/{ending}": {"member": 409, "operator": 400, "auditor": 400, "grid": 403},  # no chain, no member
    "/grid": NOT_MEMBER,
    "/compare": {**NOT_GRID, "member": 403},
    "/verify": ALL,
    "/models": {**NOT_GRID, "member": 403},
    "/api/v1/slots": NOT_GRID,
    "/api/v1/clearings": NOT_GRID,
    "/api/v1/orders": NOT_GRID,
    "/api/v1/refusals": NOT_GRID,
    "/api/v1/members": NOT_GRID,
    "/api/v1/insights": NOT_GRID,
    "/api/v1/postings": NOT_GRID,
    "/api/v1/certificates": NOT_GRID,
    "/api/v1/bills": BILLED,
    "/api/v1/bills/{place}/xml": NO_PAPER,
    "/api/v1/bills/{place}/pdf": NO_PAPER,
    "/api/v1/forecasts": NOT_GRID,
    "/api/v1/predictions": NOT_GRID,
    "/api/v1/models": {**NOT_GRID, "member": 403},
    "/api/v1/model-events": {**NOT_GRID, "member": 403},
    "/api/v1/model-days": {**NOT_GRID, "member": 403},
    "/api/v1/grid/loads": NOT_MEMBER,
    "/api/v1/grid/forecasts": NOT_MEMBER,
    "/api/v1/grid/interventions": NOT_MEMBER,
    "/api/v1/acts": NOT_GRID,
    "/api/v1/drafts": {**dict.fromkeys(INSIDE, 403), "member": 200},
    "/api/v1/history": NOT_GRID,
    "/api/v1/battery": {"member": 200, "operator": 400, "auditor": 400, "grid": 403},  # no member is named
    "/api/v1/looks": {"member": 200, "operator": 400, "auditor": 400, "grid": 403},  # no member is named
    "/privacy": NOT_GRID,
    "/privacy/copy": {"member": 200, "operator": 400, "auditor": 403, "grid": 403},
    "/api/v1/proposals": NOT_GRID,
    "/api/v1/proposals/{number}": {**dict.fromkeys(INSIDE, 404), "grid": 403},
    "/api/v1/proposals/{number}/consequences": {**dict.fromkeys(INSIDE, 404), "grid": 403},
    "/api/v1/proposals/acts": MEMBERS,
    "/api/v1/items": ALL,
    "/api/v1/items/{number}/{outcome}": {**dict.fromkeys(INSIDE, 403), "operator": 404},  # there is none here
    "/items/{number}/{outcome}": {**dict.fromkeys(INSIDE, 403), "operator": 404},
    "/api/v1/held-readings": {**OPERATOR, "operator": 400},  # the demo's readings are in no community file
    "/api/v1/held-readings/{said}": {**OPERATOR, "operator": 400},
    "/api/v1/readings": OPERATOR,
    "/api/v1/readings/{token}": {**OPERATOR, "operator": 400},
    "/api/v1/blocks": NOT_GRID,
    "/api/v1/summary": NOT_GRID,
    "/api/v1/compare": {"operator": 404, "auditor": 404, "member": 403, "grid": 403},  # nothing is compared here
    "/api/v1/events": ALL,
    "/api/v1/schema": ALL,
    "/api/v1/schema/openapi.json": ALL,
    "/api/v1/schema/{path}": dict.fromkeys(INSIDE, 404),
    "/enter": ALL,
    "/sign-in": ALL,
    "/join": ALL,
    "/sign-out": ALL,  # leads to the page to sign in
    "/account": ALL,
    "/account/notices": ALL,
    "/account/notices/choice": FORM_MISSING,
    "/account/notices/code": FORM_MISSING,
    "/account/password": FORM_MISSING,
    "/account/passkeys/question": FORM_MISSING,
    "/account/passkeys": FORM_MISSING,
    "/account/passkeys/{key_id}/remove": FORM_MISSING,
    "/sign-in/passkey/question": dict.fromkeys(INSIDE, 403),  # not over plain HTTP
    "/sign-in/passkey": FORM_MISSING,
    "/account/sessions/{session_id}/end": FORM_MISSING,
    "/account/invitations": {**dict.fromkeys(INSIDE, 403), "operator": 400},
    "/account/invitations/{invitation_id}/withdraw": {**dict.fromkeys(INSIDE, 403), "operator": 400},
    "/account/people/{name}/remove": {**dict.fromkeys(INSIDE, 403), "operator": 400},
    "/static/{file_path}": ALL,
}


METHODS = {
    **{route: "PUT" for route in ROUTES if "{outcome}" in route},
    "/readings/held": "POST",
    "/api/v1/forecasts/seals": "POST",
    "/api/v1/forecasts/openings": "POST",
    "/language": "POST",
    **{route: "POST" for route in ROUTES if route.startswith(("/sign-out", "/account/"))},
    "/account/notices": "GET",
    "/readings/{token}": "POST",
    "/member/acts": "POST",
    "/member/drafts": "POST",
    "/deciding/acts": "POST",
    **{route: "POST" for route in ROUTES if route.startswith("/rules/")},
    "/api/v1/proposals/acts": "POST",
    "/papers": "POST",
    "/findings/{number}/notes": "POST",
    "/privacy/consents": "POST",
    "/privacy/complaints": "POST",
    "/privacy/complaints/{number}": "POST",
    "/sign-in/passkey/question": "POST",
    "/sign-in/passkey": "POST",
    "/api/v1/held-readings/{said}": "PUT",
    "/api/v1/readings": "POST",
    "/api/v1/readings/{token}": "PUT",
}


def ask(client, route: str, headers: dict[str, str]):
    """What a route answers; steps are a PUT, forms and files a POST, everything else a GET."""
    of = {"path": "x.json", "file_path": "base.css", "number": 1, "outcome": "closed", "place": 1, "token": "a" * 32}
    of |= {
        "ending": "csv",
        "session_id": "1",
        "invitation_id": "1",
        "name": "x",
        "month": "2017-06",
        "key_id": "1",
        "member": MEMBER,
        "said": "release",
    }
    return client.request(METHODS.get(route, "GET"), route.format(slot=SLOT, **of), headers=headers)


def test_the_table_of_routes_is_complete(client):
    found = {route.path_format for route in client.app.routes if isinstance(route, HTTPRoute)}
    assert {path or "/" for path in found} == set(ROUTES)


def expected(route: str, scope: Scope) -> int:
    """What a scope is answered; who only forecasts reaches what everybody does, and its own few routes."""
    is_open = route.startswith(("/static", "/enter", "/sign-in", "/join"))
    return ROUTES[route].get(scope, ROUTES[route]["operator"] if is_open else 403)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("route", ROUTES)
def test_each_scope_reaches_its_routes_and_no_other(tokens, route, scope):
    client, made, _ = tokens
    answer = ask(client, route, bearer(made[scope]))
    assert answer.status_code == expected(route, scope)
    if answer.status_code == 403 and "passkey" not in route:
        assert "The scope of this token does not include this" in answer.text
        assert not route.startswith("/api") or answer.json()["type"] == "urn:transactive:error:access.scope"


@pytest.mark.parametrize("header", ["", "Bearer nonsense", "Basic bm9uc2Vuc2U=", "Basic %", "Digest x", "Bearer "])
@pytest.mark.parametrize("route", ROUTES)
def test_without_a_known_token_only_static_files_and_the_door_are_served_elsewhere(tokens, route, header):
    client, _, _ = tokens
    answer = ask(client, route, {"Authorization": header} if header else {})
    door = route.startswith(("/static", "/enter", "/sign-in", "/join", "/language"))
    assert answer.status_code == (ROUTES[route]["operator"] if door else 401)
    if answer.status_code == 401:
        assert answer.headers["www-authenticate"].startswith("Basic")


def test_a_browser_may_send_the_token_as_a_password(tokens):
    client, made, _ = tokens
    assert client.get("/", auth=("anybody", made["operator"])).status_code == 200


def test_a_members_token_shows_its_own_figures_and_community_totals(tokens, demo_run):
    client, made, _ = tokens
    own = bearer(made["member"])
    others = [name for name in demo_run.setting.community.ids if name != MEMBER]
    for resource in ("orders", "refusals", "members", "postings", "certificates", "slots", "clearings", "blocks"):
        text = json.dumps(every(client, f"/api/v1/{resource}", headers=own))
        assert not [name for name in others if f'"{name}"' in text], resource
    assert [item["id"] for item in every(client, "/api/v1/members", headers=own)] == [MEMBER]
    assert {item["member"] for item in every(client, "/api/v1/orders", headers=own)} == {MEMBER}
    told = client.get(f"/api/v1/forecasts?slot={SLOT}", headers=own).json()["items"]
    assert {one["member"] for one in told} == {None, MEMBER}
    for url in ("/", f"/slots/{SLOT}"):
        text = client.get(url, headers=own).text
        assert MEMBER in text
        assert not [name for name in others if name in text]


def test_a_members_token_may_not_ask_for_somebody_else(tokens):
    client, made, _ = tokens
    for resource in ("orders", "refusals", "members", "postings", "certificates"):
        answer = client.get(f"/api/v1/{resource}?member=house-01", headers=bearer(made["member"]))
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:transactive:error:access.scope")


def test_who_sees_lines_only_is_led_to_them(tokens, demo_run):
    client, made, _ = tokens
    answer = client.get("/", headers=bearer(made["grid"]))
    assert answer.url.path == "/grid"
    assert not [name for name in demo_run.setting.community.ids if name in answer.text]


def test_certificates_from_neighbours_stay_unnamed_but_counted(tokens, demo_run):
    client, made, _ = tokens
    mine = every(client, "/api/v1/certificates", headers=bearer(made["member"]))
    whole = every(client, "/api/v1/certificates", headers=bearer(made["auditor"]))
    expected = [item for item in whole if MEMBER in (item["member"], item["owner"])]
    assert [item["energy_wh"] for item in mine] == [item["energy_wh"] for item in expected]
    assert any(item["member"] is None for item in mine)


def test_a_token_narrows_what_this_machine_may_see(demo_run, tmp_path):
    (tmp_path / "market.sqlite").write_bytes((demo_run.folder / "market.sqlite").read_bytes())
    token = create_token(tmp_path, "grid", None)
    with serving(tmp_path) as client:
        assert client.get("/api/v1/members").status_code == 200
        assert client.get("/api/v1/members", headers=bearer(token)).status_code == 403
        assert client.get("/api/v1/members", headers=bearer("unknown")).status_code == 401


@pytest.mark.parametrize("host", ["http://evil.example:8080", "http://127.0.0.1.evil.example", "http://10.0.0.1:8080"])
def test_another_sites_name_is_refused_on_this_machine(client, host):
    answer = client.get(f"{host}/api/v1/members")
    assert (answer.status_code, answer.json()["type"]) == (421, "urn:transactive:error:access.host")


def test_only_a_hash_of_a_token_is_kept_and_only_for_its_owner(tokens):
    _, made, folder = tokens
    text = (folder / TOKENS).read_text()
    assert not [token for token in made.values() if token in text or token[3:] in text]
    assert (folder / TOKENS).stat().st_mode & 0o077 == 0
    assert len(json.loads(text)) == len(SCOPES)


@pytest.mark.parametrize(
    ("scope", "member", "word"),
    [
        ("king", None, "--scope"),
        ("member", None, "--member"),
        ("grid", MEMBER, "--member"),
        ("member", "me", "house-01"),
    ],
)
def test_tokens_that_make_no_sense_are_not_made(tokens, scope, member, word):
    _, _, folder = tokens
    before = (folder / TOKENS).read_bytes()
    with pytest.raises(InputError, match=word):
        create_token(folder, scope, member)
    assert (folder / TOKENS).read_bytes() == before


def test_a_token_needs_a_run(tmp_path):
    with pytest.raises(StateError, match="holds no run"):
        create_token(tmp_path / "empty", "operator", None)


def test_a_broken_token_file_closes_the_door(demo_run, tmp_path):
    (tmp_path / "market.sqlite").write_bytes((demo_run.folder / "market.sqlite").read_bytes())
    (tmp_path / TOKENS).write_text("[{]")
    with serving(tmp_path, local=False) as client:
        answer = client.get("/api/v1/slots", headers=bearer("x"))
        assert (answer.status_code, answer.json()["type"]) == (409, "urn:transactive:error:state")


def test_another_address_is_not_served_without_a_token(demo_run):
    called = call("serve", "--state", demo_run.folder, "--host", "0.0.0.0", "--port", "0")
    assert (called.code, called.out) == (4, "")
    assert "transactive token create" in called.err


def test_every_answer_forbids_other_hosts(client):
    for url in ("/", "/slots/none", "/static/app.js", "/api/v1/slots", "/nowhere"):
        policy = client.get(url).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "http" not in policy


# -- events ---------------------------------------------------------------------------------------


def events(text: str) -> list[dict[str, str]]:
    """Events of a stream as their fields."""
    blocks = [block for block in text.replace("\r\n", "\n").split("\n\n") if block and not block.startswith(":")]
    return [dict(line.split(": ", 1) for line in block.split("\n")) for block in blocks]


def test_events_tell_each_stage_of_each_slot_once_in_order_and_end(client):
    found = events(client.get("/api/v1/events").text)
    assert len(found) == 3 * 168 + 1
    assert found[-1]["event"] == "end"
    keys = [tuple(map(int, event["id"].split("."))) for event in found[:-1]]
    assert keys == sorted(set(keys))
    first = [(event["event"], json.loads(event["data"])["number"]) for event in found[:5]]
    assert first == [("cleared", 1), ("cleared", 2), ("delivered", 1), ("committed", 1), ("cleared", 3)]


@pytest.mark.parametrize("seen", [1, 2, 3, 4, 250, 503, 504])
def test_a_reader_that_lost_the_stream_resumes_with_the_next_event(client, seen):
    whole = events(client.get("/api/v1/events").text)
    last = whole[seen - 1]["id"]
    assert events(client.get("/api/v1/events", headers={"Last-Event-ID": last}).text) == whole[seen:]
    assert events(client.get(f"/api/v1/events?after={last}").text) == whole[seen:]


def test_the_header_wins_over_the_address_when_a_browser_reconnects(client):
    whole = events(client.get("/api/v1/events").text)
    answer = client.get(f"/api/v1/events?after={whole[3]['id']}", headers={"Last-Event-ID": whole[499]["id"]})
    assert events(answer.text) == whole[500:]


# -- before the first slot ------------------------------------------------------------------------


def test_before_the_run_begins_the_page_says_so_and_the_api_has_nothing_yet(tmp_path):
    with serving(tmp_path) as client:
        assert "The run is starting" in client.get("/").text
        answer = client.get("/api/v1/summary")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:transactive:error:not-found")


# -- description ----------------------------------------------------------------------------------


def test_the_committed_description_is_that_of_the_program():
    committed = (ROOT / "docs" / "reference" / "openapi.json").read_text(encoding="utf-8")
    assert json.loads(description()) == json.loads(committed), "refresh it with `make references`"


def test_the_description_names_every_route_of_the_api():
    described = json.loads(description())
    assert described["openapi"].startswith("3.1")
    hidden = ("/api/v1/schema",)
    assert set(described["paths"]) == {r for r in ROUTES if r.startswith("/api/") and not r.startswith(hidden)}
