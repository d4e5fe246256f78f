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
from transactive.core.errors import DataError
from transactive.core.slots import time_text
from transactive.engine.live.boxes.import_limits import SaidLimit, limits_in
from transactive.node.dispatch.rulebook import LONGEST
from transactive.protocols.openadr.clients import add_client
from transactive.protocols.openadr.limits import limits_of_members, unsaid
from transactive.protocols.openadr.server import Served, VtnServer
from transactive.protocols.openadr.utility import UtilityLimit, program_of, read_events

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
        ({"--vtn": "https://["}, "is no address"),
        ({"--vtn": "http://127.0.0.1:9"}, "gives no token"),
        ({"--client": "nobody"}, "gives no token"),
        ({"--secret": tmp_path / "none"}, "cannot be read"),
        ({"--program": "none"}, "none of that name"),
    ):
        said_so = dict(zip(options[:-1:2], options[1:-1:2], strict=True)) | wrong
        refused = call("openadr", "fetch", path, *(word for option in said_so.items() for word in option))
        assert (refused.code, why in refused.err) == (3, True), refused.err
    assert not (tmp_path / "community.live").exists()


@pytest.mark.parametrize("raw", [b"1", b"[]", b"{}", b'{"id": 1}', b'{"id": "a", "programName": null}'])
def test_what_is_no_program_is_refused(raw):
    with pytest.raises(DataError, match="none of OpenADR"):
        program_of(raw)


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
    assert sum(one.most_w for one in found[:-1]) == most
    assert found[-1] == (len(ids) - 1, (0, 10), most, 0)


@given(st.lists(st.dictionaries(st.integers(0, 3), st.tuples(*[st.integers(0, 4)] * 4), max_size=3), max_size=6))
def test_at_a_box_the_limit_counts_that_counts_at_the_utility(changes):
    """Events of any number, changed in any way between fetches: hours from and for, power and priority."""
    events: dict[int, tuple[int, UtilityLimit]] = {}
    said: list[SaidLimit] = []
    for now, changed in enumerate(changes, 1):
        for number, (start, hours, most, priority) in changed.items():
            events[number] = priority, UtilityLimit(start + 100, start + hours + 101, most, ("home",), now)
        limits = [limit for _, limit in sorted(events.values(), key=lambda one: (-one[0], one[1].modified))]
        found = limits_of_members(limits, ["home"], [None], now)
        for one in unsaid(found, said):
            said.append(SaidLimit(one.member, *one.span, one.most_w, now * 10**9 + len(said)))
        assert unsaid(found, said) == [], "said once"
        wanted = {(one.span, one.most_w) for one in found}
        for moment in range(100, 110):
            at_utility = [one.most_w for one in limits if one.start <= moment < one.end]
            at_box = [one for one in said if one.start <= moment < one.end]
            if at_utility and ((at_box[-1].start, at_box[-1].end), at_box[-1].most_w) in wanted:
                assert at_box[-1].most_w == at_utility[-1], "what was taken back alone may hold beside it"


def test_a_long_limit_is_said_in_parts_that_boxes_take_and_an_early_one_in_time():
    long = [UtilityLimit(0, 3 * LONGEST, 4_200, ("home",))]
    spans = [one.span for one in limits_of_members(long, ["home"], [None], LONGEST // 2)]
    assert spans == [(0, LONGEST), (LONGEST, 2 * LONGEST)]
    assert [one.span for one in limits_of_members(long, ["home"], [None], LONGEST)] == [
        (LONGEST, 2 * LONGEST),
        (2 * LONGEST, 3 * LONGEST),
    ]
    early = [UtilityLimit(2 * LONGEST, 2 * LONGEST + 9, 0, ("home",))]
    assert limits_of_members(early, ["home"], [None], LONGEST - 1) == []
    assert len(limits_of_members(early, ["home"], [None], LONGEST)) == 1


@pytest.mark.parametrize(
    ("kind", "value", "start", "why"),
    [
        ("PRICE", 1_000.01, "2026-06-01T00:00:00Z", "nothing is like that"),
        ("PRICE", -1_000.01, "2026-06-01T00:00:00Z", "nothing is like that"),
        ("GHG", -1, "2026-06-01T00:00:00Z", "nothing is like that"),
        ("GHG", 100_000, "2026-06-01T00:00:00Z", "nothing is like that"),
        ("PRICE", 0.3, "2101-06-01T00:00:00Z", "nothing is like that"),
        ("PRICE", 0.3, "0001-01-01T00:00:00Z", "means now"),
        ("PRICE", 0.3, "9999-12-31T23:59:59-14:00", "after 9999"),
    ],
)
def test_what_cannot_be_is_left_out_before_it_stands_in_a_file_for_ever(kind, value, start, why):
    event = {
        "id": "a",
        "modificationDateTime": "2024-06-01T00:00:00Z",
        "programID": "p",
        "payloadDescriptors": [{"objectType": "EVENT_PAYLOAD_DESCRIPTOR", "payloadType": kind, "currency": "EUR"}],
        "intervalPeriod": {"start": start, "duration": "PT1H"},
        "intervals": [{"id": 0, "payloads": [{"type": kind, "values": [value]}]}],
    }
    said = read_events([], [json.dumps(event).encode()], "EUR", HOUR)
    assert said.values == {}
    assert why in said.left_out[0]
