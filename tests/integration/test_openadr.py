"""A VTN of OpenADR 3.1: who may do what, what is told of the community, and what wrong messages change."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import TestClient

from tests.integration.conftest import call
from tests.integration.test_going_on import COMMUNITY, run, write_readings
from tests.shared import made_once
from tests.waiting import until
from transactive.config.setting import load_setting
from transactive.core.errors import InputError
from transactive.core.slots import parse_time, time_text
from transactive.engine.live.boxes.import_limits import add_limit
from transactive.protocols.openadr.app import MOST_BYTES, build_vtn_app
from transactive.protocols.openadr.clients import Doorkeeper
from transactive.protocols.openadr.published import publish
from transactive.protocols.openadr.sending import MOST_TRIES, send_due
from transactive.protocols.openadr.server import Served, VtnServer
from transactive.store import Store
from transactive.store.protocols.openadr import ObjectBook
from transactive.store.read.advice import cleared_prices

HOURS = 90


@pytest.fixture(scope="session")
def grown_state(tmp_path_factory) -> Path:
    """A community of two homes with its finished run, beside its file."""

    def make(folder: Path) -> None:
        (folder / "community.toml").write_text(COMMUNITY)
        write_readings(folder, HOURS)
        made = run(folder, "community.state")
        assert made.code == 0, made.err
        (folder / "community.state" / "community.path").unlink(missing_ok=True)

    return made_once(tmp_path_factory, "openadr", make) / "community.state"


@dataclass
class Place:
    """A VTN beside the state of a run, without a socket. refusing: what is said of callbacks."""

    server: VtnServer
    web: TestClient[Any]
    state: Path

    def client(self, role: str, member: str = "") -> dict[str, str]:
        """Let a client in; the header that it sends."""
        made = call(
            "openadr",
            "client",
            "--state",
            self.state,
            "--role",
            role,
            "--json",
            *(("--member", member) if member else ()),
        )
        assert made.code == 0, made.err
        said = json.loads(made.out)
        answer = self.token(said["client_id"], said["client_secret"])
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}", "id": said["client_id"]}

    def token(self, name: str, secret: str, **more: str):
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret} | more
        return self.web.post("/auth/token", data=form)

    def everything(self) -> list[tuple[str, bytes]]:
        with closing(ObjectBook(self.state)) as book:
            kinds = ("PROGRAM", "EVENT", "REPORT", "SUBSCRIPTION", "VEN", "RESOURCE")
            return [(one.id, one.body) for kind in kinds for one in book.all_of(kind)]


@pytest.fixture
def place(grown_state, tmp_path, monkeypatch):
    state = tmp_path / "community.state"
    shutil.copytree(grown_state.parent, tmp_path, dirs_exist_ok=True)
    server = VtnServer(state, Served(port=0))
    server.publish()
    with TestClient(build_vtn_app(server.vtn, lambda: "http://testserver")) as web:
        yield Place(server, web, state)
    server.close()


PROGRAM = {"programName": "evening"}


def event_of(program: str, **more: Any) -> dict[str, Any]:
    interval = {"id": 0, "payloads": [{"type": "SIMPLE", "values": [2]}]}
    period = {"start": "2024-06-07T18:00:00Z", "duration": "PT2H"}
    return {"programID": program, "intervals": [interval], "intervalPeriod": period} | more


def usage(event: str, *, first: str = "2024-06-04T18:00:00Z", values=(0.5, -0.25), **more: Any) -> dict[str, Any]:
    intervals = [{"id": k, "payloads": [{"type": "USAGE", "values": [value]}]} for k, value in enumerate(values)]
    resource = {"resourceName": "meter", "intervals": intervals, "intervalPeriod": {"start": first, "duration": "PT1H"}}
    return {"eventID": event, "clientName": "home", "resources": [resource]} | more


def test_prices_of_cleared_slots_are_events_of_the_community(place):
    ven = place.client("ven", "anna")
    programs = place.web.get("/programs", headers=ven).json()
    assert [program["programName"] for program in programs] == ["community-prices", "line-limits"]
    assert programs[0]["payloadDescriptors"][0] == {
        "objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": "PRICE", "units": "KWH", "currency": "EUR",
    }  # fmt: skip
    events = place.web.get("/events", headers=ven, params={"programID": "community-prices"}).json()
    told = {
        interval["intervalPeriod"]["start"]: {p["type"]: p["values"][0] for p in interval["payloads"]}
        for event in events
        for interval in event["intervals"]
    }
    with closing(Store(place.state)) as store:
        prices = cleared_prices(store, 0)
    assert len(prices) == HOURS - 48
    assert {one.traded_wh > 0 for one in prices} == {True, False}
    assert told == {
        time_text(one.slot).replace("Z", ":00Z") if len(time_text(one.slot)) == 17 else time_text(one.slot): {
            "PRICE": (one.price + one.fee if one.traded_wh else 280_000) / 1_000_000,
            "EXPORT_PRICE": (one.price if one.traded_wh else 80_000) / 1_000_000,
            "GHG": 350,
        }
        for one in prices
    }
    assert place.server.publish() == 0, "nothing new, so nobody is told anything"


def test_a_limit_of_a_home_is_told_to_its_ven_alone_and_ends(place):
    now = int(time.time())
    add_limit(place.state, 0, (now, now + 3_600), 4_200, now)
    assert place.server.publish() == 1
    anna, cara, logic = place.client("ven", "anna"), place.client("ven", "cara"), place.client("bl")
    asked = {"programID": "line-limits", "targets": "anna"}
    (event,) = place.web.get("/events", headers=anna, params=asked).json()
    assert event["intervals"][0]["payloads"] == [{"type": "IMPORT_CAPACITY_LIMIT", "values": [4.2]}]
    assert event["targets"] == ["anna"]
    assert place.web.get("/events", headers=cara, params=asked).json() == []
    assert place.web.get(f"/events/{event['id']}", headers=cara).status_code == 404
    assert place.web.get("/events", headers=anna, params={"programID": "line-limits"}).json() == []
    assert len(place.web.get("/events", headers=logic, params={"programID": "line-limits"}).json()) == 1
    (place.state / "import-limits.json").write_text("[]")
    assert place.server.publish() == 1
    assert place.web.get(f"/events/{event['id']}", headers=anna).status_code == 404


def test_business_logic_makes_changes_and_deletes_programs_and_events(place):
    logic, ven = place.client("bl"), place.client("ven", "anna")
    made = place.web.post("/programs", headers=logic, json=PROGRAM | {"id": "mine", "unknown": 1})
    assert made.status_code == 201
    program = made.json()
    assert program["objectType"] == "PROGRAM"
    assert program["id"] != "mine"
    event = place.web.post("/events", headers=logic, json=event_of(program["id"])).json()
    assert place.web.get(f"/events/{event['id']}", headers=ven).json() == event
    changed = place.web.put(f"/events/{event['id']}", headers=logic, json=event_of(program["id"], priority=1)).json()
    assert (changed["id"], changed["createdDateTime"], changed["priority"]) == (
        event["id"],
        event["createdDateTime"],
        1,
    )
    assert place.web.delete(f"/programs/{program['id']}", headers=logic).json()["id"] == program["id"]
    assert place.web.get(f"/events/{event['id']}", headers=ven).status_code == 404, "it went with its program"


def test_a_search_is_answered_in_parts_and_by_what_it_names(place):
    logic = place.client("bl")
    program = place.web.post("/programs", headers=logic, json=PROGRAM).json()["id"]
    for hour in range(3):
        over = {"start": f"2024-06-07T0{hour}:00:00Z" if hour else "2094-06-07T00:00:00Z", "duration": "PT1H"}
        place.web.post("/events", headers=logic, json=event_of(program, intervalPeriod=over, targets=["a", f"b{hour}"]))
    everything = place.web.get("/events", headers=logic, params={"programID": program}).json()
    parts = [
        place.web.get("/events", headers=logic, params={"programID": program, "skip": k, "limit": 1}).json()[0]
        for k in range(3)
    ]
    assert parts == everything
    both = place.web.get("/events", headers=logic, params={"targets": ["a", "b1"]}).json()
    assert [event["targets"] for event in both] == [["a", "b1"]]
    active = place.web.get("/events", headers=logic, params={"programID": program, "active": "true"}).json()
    assert active == everything[:1]
    assert place.web.get("/events", headers=logic, params={"limit": 51}).status_code == 400


def test_a_ven_sees_its_own_objects_and_no_targets_that_nobody_granted(place):
    logic, anna, cara = place.client("bl"), place.client("ven", "anna"), place.client("ven", "cara")
    program = place.web.post("/programs", headers=logic, json=PROGRAM).json()["id"]
    event = place.web.post("/events", headers=logic, json=event_of(program, targets=["anna", "secret"])).json()
    (seen,) = place.web.get("/events", headers=anna, params={"targets": ["anna", "secret"]}).json()
    assert (seen["id"], seen["targets"]) == (event["id"], ["anna"])
    (ven,) = place.web.get("/vens", headers=anna).json()
    assert ven["clientID"] == anna["id"]
    assert place.web.get(f"/vens/{ven['id']}", headers=cara).status_code == 404
    sent = {"objectType": "VEN_VEN_REQUEST", "venName": "anna's box", "targets": ["secret"]}
    assert place.web.put(f"/vens/{ven['id']}", headers=anna, json=sent).json()["targets"] == ["anna"]
    grabbed = {"objectType": "BL_VEN_REQUEST", "venName": "b", "clientID": anna["id"], "targets": ["secret"]}
    assert place.web.put(f"/vens/{ven['id']}", headers=anna, json=grabbed).status_code == 403
    resource = {"objectType": "VEN_RESOURCE_REQUEST", "venID": ven["id"], "resourceName": "battery"}
    made = place.web.post("/resources", headers=anna, json=resource)
    assert made.status_code == 201
    assert place.web.post("/resources", headers=anna, json=resource).status_code == 409
    assert place.web.post("/resources", headers=cara, json=resource).status_code == 400
    granted = {**resource, "objectType": "BL_RESOURCE_REQUEST", "clientID": anna["id"], "targets": ["secret"]}
    assert place.web.put(f"/resources/{made.json()['id']}", headers=logic, json=granted).status_code == 200
    (seen,) = place.web.get("/events", headers=anna, params={"targets": ["anna", "secret"]}).json()
    assert seen["targets"] == ["anna", "secret"]


@pytest.mark.parametrize(
    ("method", "path", "who", "body", "status"),
    [
        ("POST", "/programs", "ven", PROGRAM, 403),
        ("POST", "/events", "ven", event_of("community-prices"), 403),
        ("POST", "/reports", "bl", usage("prices-2024-06-04"), 403),
        ("POST", "/programs", "nobody", PROGRAM, 401),
        ("GET", "/programs", "nobody", None, 401),
        ("GET", "/notifiers", "nobody", None, 401),
        ("GET", "/nothing", "bl", None, 404),
        ("PATCH", "/programs", "bl", PROGRAM, 405),
        ("DELETE", "/events/prices-2024-06-04", "bl", None, 403),
        ("PUT", "/programs/community-prices", "bl", PROGRAM, 403),
        ("POST", "/programs", "bl", {"programName": "community-prices"}, 409),
        ("POST", "/programs", "bl", {"programName": ""}, 400),
        ("POST", "/programs", "bl", {}, 400),
        ("POST", "/programs", "bl", b"{", 400),
        ("POST", "/programs", "bl", b"\xff\xfe", 400),
        ("POST", "/programs", "bl", b"[" * 100_000, 400),
        ("POST", "/programs", "bl", b'{"programName": "' + b"x" * MOST_BYTES + b'"}', 413),
        ("POST", "/events", "bl", event_of("nowhere"), 400),
        ("POST", "/events", "bl", event_of("line-limits", duration="soon"), 400),
        ("POST", "/events", "bl", event_of("line-limits", intervalPeriod={"start": "noon"}), 400),
        ("POST", "/events", "bl", event_of("line-limits", intervals=[{"id": 0}]), 400),
        ("POST", "/reports", "ven", usage("nowhere"), 400),
        ("POST", "/vens", "bl", {"objectType": "VEN_VEN_REQUEST", "venName": "v"}, 400),
        ("POST", "/vens", "ven", {"venName": "v"}, 400),
        ("DELETE", "/reports/nothing", "ven", None, 404),
    ],
)
def test_what_is_wrong_is_a_problem_and_changes_nothing(place, method, path, who, body, status):
    clients = {"ven": place.client("ven", "anna"), "bl": place.client("bl"), "nobody": {}}
    before = place.everything()
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    answer = place.web.request(method, path, content=content, headers=clients[who])
    assert answer.status_code == status, answer.text
    problem = answer.json()
    assert (problem["status"], bool(problem["title"]), bool(problem["detail"])) == (status, True, True)
    assert place.everything() == before


def test_what_is_sent_twice_is_there_once(place):
    logic, ven = place.client("bl"), place.client("ven", "anna")
    program = place.web.post("/programs", headers=logic, json=PROGRAM).json()["id"]
    sent = [("/programs", logic, PROGRAM), ("/events", logic, event_of(program))]
    sent.append(("/reports", ven, usage("prices-2024-06-04")))
    for path, who, body in sent[1:]:
        assert place.web.post(path, headers=who, json=body).status_code == 201
    before = place.everything()
    assert [place.web.post(path, headers=who, json=body).status_code for path, who, body in sent] == [409] * 3
    assert place.everything() == before


def test_tokens_are_for_known_secrets_and_end(place, monkeypatch):
    said = json.loads(call("openadr", "client", "--state", place.state, "--role", "bl", "--json").out)
    name, secret = said["client_id"], said["client_secret"]
    assert secret not in (place.state / "openadr-clients.json").read_text()
    basic = place.web.post("/auth/token", data={"grant_type": "client_credentials"}, auth=(name, secret))
    assert basic.json()["scope"].startswith("read_all write_programs")
    wrong = place.token(name, secret + "x")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert place.token(name, secret, grant_type="password").json()["error"] == "unsupported_grant_type"
    assert place.token(name, secret, scope="write_reports").json()["error"] == "invalid_scope"
    assert place.token("", "").json()["error"] == "invalid_request"
    assert place.token("", "", **{f"f{k}": "x" for k in range(30)}).json()["error"] == "invalid_request"
    token = basic.json()["access_token"]
    door = Doorkeeper(place.state)
    now = int(time.time())
    assert door.client(token, now).id == name
    for broken in (token[:-2] + "AA", token.partition(".")[0], "", ".", "é.é", token + "="):
        with pytest.raises(InputError, match="not known"):
            door.client(broken, now)
    with pytest.raises(InputError, match="over"):
        door.client(token, now + 3_601)
    assert call("openadr", "revoke", name, "--state", place.state).code == 0
    assert place.web.get("/programs", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_server_that_others_reach_speaks_tls(place):
    for served in (Served(host="0.0.0.0"), Served(certificate=Path("c.pem"))):
        with pytest.raises(InputError, match="--certificate"):
            VtnServer(place.state, served)
    assert place.web.get("/auth/server").json() == {"tokenURL": "http://testserver/auth/token"}


def test_reports_are_readings_once_the_operator_accepts_them(place):
    community = place.state.parent / "community.toml"
    before = load_setting(community).readings_digest
    anna, cara, guest = place.client("ven", "anna"), place.client("ven", "cara"), place.client("ven")
    event = "prices-2024-06-04"
    last, hours = "2024-06-04T18:00:00Z", 6
    for who, value in ((anna, -0.25), (cara, 0)):
        sent = usage(event, first=last, values=[0.5, value, 0.1, 0, 1.2, 0.007])
        assert place.web.post("/reports", headers=who, json=sent).status_code == 201
    assert place.web.post("/reports", headers=guest, json=usage(event)).status_code == 201
    odd = usage(event, first="2024-06-05T00:00:00Z", values=[1])
    odd["resources"][0]["intervalPeriod"]["duration"] = "PT2H"
    assert place.web.post("/reports", headers=anna, json=odd).status_code == 201
    seen = json.loads(call("openadr", "readings", "--state", place.state, "--json").out)
    assert (seen["reports"], seen["readings"], len(seen["left_out"])) == (4, 2 * hours, 2)
    assert seen["refused"] is None
    assert (seen["added"], seen["changed"]) == (2 * hours, 0)
    assert load_setting(community).readings_digest == before, "nothing counts that nobody accepted"
    taken = json.loads(call("openadr", "readings", "--state", place.state, "--accept", "--json").out)
    assert taken["added"] == 2 * hours
    measured = load_setting(community).measured
    first = (parse_time("2024-06-04T18:00Z") - measured.first_slot) // 3_600
    assert measured.consumption_wh[first : first + 2, 0].tolist() == [500, 0]
    assert measured.generation_wh[first : first + 2, 0].tolist() == [0, 250]
    again = call("openadr", "readings", "--state", place.state, "--accept")
    assert (again.code, "there already" in again.err) == (3, True)


def test_subscriptions_hear_of_what_their_client_may_see_until_nobody_takes_it(place, monkeypatch):
    anna, cara, logic = place.client("ven", "anna"), place.client("ven", "cara"), place.client("bl")
    target = {"objects": ["EVENT"], "operations": ["CREATE", "DELETE"], "callbackUrl": "https://home.example/heard"}
    wanted = {"clientName": "box", "objectOperations": [{**target, "bearerToken": "abc"}], "targets": ["anna"]}
    inside = {**wanted, "objectOperations": [{**target, "callbackUrl": "https://127.0.0.1/heard"}]}
    plain = {**wanted, "objectOperations": [{**target, "callbackUrl": "http://home.example/heard"}]}
    for refused, why in ((inside, "in this network"), (plain, "HTTPS")):
        answer = place.web.post("/subscriptions", headers=anna, json=refused)
        assert (answer.status_code, why in answer.json()["detail"]) == (400, True)
    asked: list[str] = []
    monkeypatch.setattr(place.server.vtn, "check_callback", asked.append)
    for who in (anna, cara):
        assert place.web.post("/subscriptions", headers=who, json=wanted).status_code == 201
    assert asked == ["https://home.example/heard"] * 2
    program = place.web.post("/programs", headers=logic, json=PROGRAM).json()["id"]
    event = place.web.post("/events", headers=logic, json=event_of(program, targets=["anna"])).json()
    place.web.put(f"/events/{event['id']}", headers=logic, json=event_of(program, targets=["anna"], priority=3))
    place.web.delete(f"/events/{event['id']}", headers=logic)
    told: list[tuple[str, str, Any]] = []
    book = place.server.vtn.book
    for _ in range(3):
        send_due(book, lambda url, bearer, body: told.append((url, bearer, json.loads(body))), 0)
    assert [(url, bearer, said["operation"]) for url, bearer, said in told] == [
        ("https://home.example/heard", "abc", "CREATE"), ("https://home.example/heard", "abc", "DELETE"),
    ]  # fmt: skip
    assert told[0][2]["object"] == event

    def silent(url: str, bearer: str, body: bytes) -> None:
        raise OSError("nobody there")

    place.web.post("/events", headers=logic, json=event_of(program, targets=["anna"], eventName="again"))
    now, tries = 0, 0
    while book.due(now, 1):
        send_due(book, silent, now)
        tries += 1
        now = min((one.due for one in book.due(2**60, 1)), default=now)
    assert tries == MOST_TRIES


def test_who_lets_callbacks_hang_holds_up_neither_writes_nor_notices_of_others(place, monkeypatch):
    anna, cara, logic = place.client("ven", "anna"), place.client("ven", "cara"), place.client("bl")
    vtn, asked, answered, cara_heard = place.server.vtn, threading.Event(), threading.Event(), threading.Event()

    def hang(url: str) -> None:
        asked.set()
        assert answered.wait(20)

    def wanted(name: str) -> dict[str, Any]:
        told = {"objects": ["EVENT"], "operations": ["CREATE"], "callbackUrl": f"https://{name}.example"}
        return {"clientName": name, "objectOperations": [told, told]}

    monkeypatch.setattr(vtn, "check_callback", hang)
    first = threading.Thread(
        target=place.web.post, args=("/subscriptions",), kwargs={"headers": anna, "json": wanted("anna")}
    )
    first.start()
    assert asked.wait(20)
    assert place.web.post("/subscriptions", headers=anna, json=wanted("again")).status_code == 429
    assert place.web.post("/reports", headers=anna, json=usage("prices-2024-06-04")).status_code == 201
    answered.set()
    first.join()
    assert place.web.post("/subscriptions", headers=cara, json=wanted("cara")).status_code == 201
    program = place.web.post("/programs", headers=logic, json=PROGRAM).json()["id"]
    place.web.post("/events", headers=logic, json=event_of(program))

    def tell(url: str, bearer: str, body: bytes) -> None:
        if "cara" in url:
            cara_heard.set()
        elif not cara_heard.wait(5):
            raise AssertionError("cara waits for anna's callback")

    assert send_due(vtn.book, tell, 0) == 2
    call("openadr", "revoke", anna["id"], "--state", place.state)
    assert [json.loads(one.body)["operation"] for one in vtn.book.due(0, 10)] == ["CREATE"], "cara's second alone"


def test_a_report_stays_when_the_day_of_its_event_is_told_no_more(place):
    ven = place.client("ven", "anna")
    assert place.web.post("/reports", headers=ven, json=usage("prices-2024-06-04")).status_code == 201
    publish(place.server.vtn, {})
    assert place.web.get("/events", headers=ven).json() == []
    assert len(place.web.get("/reports", headers=ven, params={"eventID": "prices-2024-06-04"}).json()) == 1


def test_a_client_whose_name_is_taken_is_not_let_in(place):
    let_in = ["openadr", "client", "--state", place.state, "--role", "ven", "--member", "anna", "--name"]
    assert call(*let_in, "box").code == 0
    before = (place.state / "openadr-clients.json").read_text()
    for name, why in (("box", "there already"), ("x" * 129, "128 at most")):
        refused = call(*let_in, name)
        assert (refused.code, why in refused.err) == (3, True), refused.err
    assert (place.state / "openadr-clients.json").read_text() == before


class Killed(BaseException):
    """In place of a kill."""


def test_a_kill_while_a_client_is_let_in_lets_nobody_in_and_keeps_the_name_free(place, monkeypatch):
    let_in = [
        "openadr",
        "client",
        "--state",
        place.state,
        "--role",
        "ven",
        "--member",
        "anna",
        "--name",
        "box",
        "--json",
    ]

    def killed(*_: object) -> None:
        raise Killed

    before = call("openadr", "clients", "--state", place.state, "--json").out
    for write in ("transactive.protocols.openadr.clients._write", "transactive.store.protocols.openadr.ObjectBook.put"):
        with monkeypatch.context() as patched:
            patched.setattr(write, killed)
            with pytest.raises(Killed):
                call(*let_in)
        assert call("openadr", "clients", "--state", place.state, "--json").out == before
    said = call(*let_in)
    assert said.code == 0, said.err
    with closing(ObjectBook(place.state)) as book:
        assert [one.client for one in book.all_of("VEN")] == [json.loads(said.out)["client_id"]]
    revoked = call("openadr", "revoke", json.loads(said.out)["client_id"], "--state", place.state)
    assert revoked.code == 0, revoked.err
    assert call(*let_in).code == 0, "its secret was never shown, and it has done nothing"


@pytest.mark.long
def test_what_a_killed_vtn_said_is_kept_is_there(place, tmp_path):
    """A server is killed while reports come in: whatever it answered 201 to is there, whole, and once."""
    ven, place_of = place.client("ven", "anna"), place.state
    command = [
        str(Path(sys.executable).with_name("transactive")),
        "openadr",
        "serve",
        "--state",
        str(place_of),
        "--port",
        "0",
    ]
    kept: list[bytes] = []
    for kill in range(3):
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert process.stderr is not None
        url = process.stderr.readline().split()[3].rstrip(",")
        with httpx.Client(base_url=url, headers=ven) as web:
            until(lambda: _answers(web), "the server")
            killer = threading.Thread(target=_kill_after, args=(process, kept, len(kept) + 10))
            killer.start()
            with suppress(httpx.HTTPError):
                for number in range(1_000_000):
                    answer = web.post("/reports", json=usage("prices-2024-06-04", reportName=f"{kill}-{number}"))
                    if answer.status_code == 201:
                        kept.append(answer.content)
        killer.join()
        process.wait()
        process.stderr.close()
    with closing(ObjectBook(place_of)) as book:
        there = [one.body for one in book.all_of("REPORT")]
    assert set(kept) <= set(there)
    assert len(there) == len({json.loads(body)["reportName"] for body in there}) <= len(kept) + 3


def _kill_after(process: subprocess.Popen[str], kept: list[bytes], count: int) -> None:
    until(lambda: len(kept) >= count, "reports that are kept")
    process.kill()


def _answers(web: httpx.Client) -> bool:
    try:
        return web.get("/auth/server").status_code == 200
    except httpx.HTTPError:
        return False
