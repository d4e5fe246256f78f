"""A utility's VTN: its prices become rows of the environment, its limits those of boxes, all of them exactly."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.integration.conftest import call
from tests.integration.samples import write_community
from transactive.config.community_file import load
from transactive.core.slots import time_text
from transactive.engine.live.boxes.import_limits import limits_in
from transactive.protocols.openadr.clients import add_client
from transactive.protocols.openadr.server import Served, VtnServer
from transactive.protocols.openadr.utility import UtilityLimit, limits_of_members, read_events

HOUR = 3_600
HEAD = "slot_start,import_price_micro_per_kwh,grid_carbon_g_per_kwh\n"


@pytest.fixture
def utility(tmp_path):
    """A VTN, business logic in it, and the file with the secret of a client."""
    folder = tmp_path / "utility"
    (logic, key), (ven, secret) = add_client(folder, "bl", "", ""), add_client(folder, "ven", "", "")
    server = VtnServer(folder, Served(port=0))
    server.start()
    form = {"grant_type": "client_credentials", "client_id": logic.id, "client_secret": key}
    token = httpx.post(f"{server.url}/auth/token", data=form).json()["access_token"]
    (tmp_path / "secret").write_text(f"{secret}\n")
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as web:
        yield web, ["--vtn", server.url, "--client", ven.id, "--secret", tmp_path / "secret", "--json"]
    server.stop()


def program(web, currency, name="tariff"):
    kinds = [("PRICE", "KWH"), ("GHG", "GHG"), ("IMPORT_CAPACITY_LIMIT", "KW")]
    told = [
        {"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": kind, "units": unit, "currency": currency}
        for kind, unit in kinds
    ]
    made = web.post("/programs", json={"programName": name, "payloadDescriptors": told})
    assert made.status_code == 201, made.text
    return made.json()["id"]


def event(web, program, start, *hours, duration="PT1H", **more):
    intervals = [
        {"id": k, "payloads": [{"type": kind, "values": [value]} for kind, value in hour.items()]}
        for k, hour in enumerate(hours)
    ]
    period = {"start": datetime.fromtimestamp(start, UTC).isoformat(), "duration": duration}
    made = web.post("/events", json={"programID": program, "intervals": intervals, "intervalPeriod": period} | more)
    assert made.status_code == 201, made.text


def test_prices_and_limits_of_a_utility_are_taken_exactly(utility, tmp_path):
    web, options = utility
    path = write_community(tmp_path)
    text = path.read_text().replace("grid_g_per_kwh = 350\n", "")
    path.write_text(text.replace("[data]\n", '[data]\nenvironment = "environment.csv"\n'))
    (tmp_path / "environment.csv").write_text(HEAD)
    community = load(path)
    begin = int(time.time()) // HOUR * HOUR + HOUR
    tariff = program(web, community.currency)
    event(web, tariff, begin, {"PRICE": 0.2815, "GHG": 210}, {"PRICE": -0.012345, "GHG": 190}, priority=5)
    event(web, tariff, begin + HOUR, {"PRICE": 0.3}, priority=1)
    event(web, tariff, begin, {"IMPORT_CAPACITY_LIMIT": 4.2}, targets=[community.ids[1]])
    event(web, tariff, begin, {"IMPORT_CAPACITY_LIMIT": 10.001})
    event(web, tariff, begin, {"PRICE": 0.1}, duration="PT90M")
    event(web, tariff, begin, {"PRICE": 0.1}, duration="PT0S")
    event(web, tariff, begin, {"DISPATCH_SETPOINT": 1})
    event(web, program(web, "XXX", "elsewhere"), begin, {"PRICE": 0.5})
    done = call("openadr", "fetch", path, *options, "--program", "tariff")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert (said["events"], said["rows_added"], len(said["left_out"])) == (6, 2, 3)
    rows = [(begin, 281_500, 210), (begin + HOUR, 300_000, 190)]
    written = HEAD + "".join(f"{time_text(slot)},{price},{grams}\n" for slot, price, grams in rows)
    assert (tmp_path / "environment.csv").read_text() == written
    limits = limits_in(tmp_path / "community.live")
    members = len(community.ids)
    assert said["limits"] == len(limits) == members, "the targeted one is not shown to who did not ask for it"
    assert sum(one.most_w for one in limits) == 10_001
    assert {(one.start, one.end) for one in limits} == {(begin, begin + HOUR)}
    again = json.loads(call("openadr", "fetch", path, *options, "--program", "tariff").out)
    assert (again["rows_added"], again["limits"]) == (0, 0)
    assert (tmp_path / "environment.csv").read_text() == written


def test_a_utility_that_cannot_be_believed_changes_nothing(utility, tmp_path):
    web, options = utility
    path = write_community(tmp_path)
    begin = int(time.time()) // HOUR * HOUR + HOUR
    event(web, program(web, "XXX"), begin, {"PRICE": 0.5})
    said = json.loads(call("openadr", "fetch", path, *options).out)
    assert (said["rows_added"], said["limits"]) == (0, 0)
    assert "in XXX" in said["left_out"][0]
    for wrong, why in (
        ({"--vtn": "http://vtn.example"}, "TLS"),
        ({"--vtn": "http://127.0.0.1:9"}, "gives no token"),
        ({"--client": "nobody"}, "gives no token"),
        ({"--secret": tmp_path / "none"}, "cannot be read"),
        ({"--program": "none"}, "none of that name"),
    ):
        said_so = dict(zip(options[:-1:2], options[1:-1:2], strict=True)) | wrong
        refused = call("openadr", "fetch", path, *(word for option in said_so.items() for word in option))
        assert (refused.code, why in refused.err) == (3, True), refused.err
    assert not (tmp_path / "community.live").exists()


def test_what_is_no_event_is_refused_whole():
    good = b'{"id": "a", "modificationDateTime": "2024-06-01T00:00:00Z", "programID": "p"}'
    assert read_events([], [good], "EUR", HOUR).left_out == []
    for bad in (b"{}", b"[]", b'{"id": "a", "modificationDateTime": "now", "programID": "p"}'):
        with pytest.raises(Exception, match="none of OpenADR"):
            read_events([], [good, bad], "EUR", HOUR)


@given(
    most=st.integers(0, 10**7),
    connections=st.lists(st.none() | st.integers(1, 10**5), min_size=1, max_size=8),
)
def test_a_limit_for_all_is_shared_to_the_last_watt(most, connections):
    ids = [f"home-{k}" for k in range(len(connections))]
    limits = [
        UtilityLimit(0, 10, most, ()),
        UtilityLimit(0, 10, most, (ids[-1], "unknown")),
        UtilityLimit(0, 5, most, ()),
    ]
    found = limits_of_members(limits, ids, connections, 5)
    assert sum(watts for _, _, watts in found[:-1]) == most
    assert found[-1] == (len(ids) - 1, (0, 10), most)
