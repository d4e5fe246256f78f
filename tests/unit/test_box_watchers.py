"""What a home and an operator see of a box: what is known, and never a zero for what is not."""

import json
import re
import socket
import threading
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.waiting import LIMIT_SECONDS, until
from transactive.core.errors import InputError
from transactive.links import metrics_server
from transactive.links.metrics_server import MOST, MetricsServer
from transactive.node.home_assistant import STALE_SECONDS, discovery, states
from transactive.node.metrics import metrics_text
from transactive.node.status import BoxStatus

ADDRESS = "0x" + "ab" * 20
BASE = f"transactive-box/{ADDRESS}"


def box(**said) -> BoxStatus:
    return BoxStatus(ADDRESS, "a meter", **said)


def test_what_is_not_known_is_unavailable_and_never_zero():
    told = states(box(), 1_000)
    always = {f"{BASE}/{key}" for key in ("market", "refused", "pause")}
    assert {key for key in told if not key.endswith("/known")} == always
    assert told[f"{BASE}/import/known"] == told[f"{BASE}/waiting/known"] == told[f"{BASE}/slot/known"] == "offline"
    known = box(standing=(5, 0, 0, 0, 0), heard=1_000, signed=3, acknowledged=1, is_connected=True, last_slot=900)
    told = states(known, 1_000 + STALE_SECONDS)
    assert (told[f"{BASE}/import"], told[f"{BASE}/export"], told[f"{BASE}/waiting"]) == ("5", "0", "2")
    assert told[f"{BASE}/generation/known"] == "offline"
    assert f"{BASE}/import" not in states(known, 1_001 + STALE_SECONDS)


def test_each_value_that_is_told_is_discovered_and_the_other_way_round():
    known = box(standing=(1, 2, 3, 0, 0), heard=0, is_connected=True, last_slot=0, last_leaf=0, is_on_chain=True)
    known.currency, known.price, known.next_slot, known.plan = "EUR", 281_500, 900, "battery rests"
    known.cost_n, known.saving_n = -1_250_000_000, 5
    components = discovery(known)["components"]
    told = {topic.removeprefix(f"{BASE}/") for topic in states(known, 0)}
    assert told == components.keys() | {f"{key}/known" for key in components}
    assert len({one["unique_id"] for one in components.values()}) == len(components)
    assert not {"price", "cost", "saving"} & discovery(box())["components"].keys()  # their currency is not known
    values = states(known, 0)
    money = [values[f"{BASE}/{key}"] for key in ("price", "cost", "saving")]
    assert money == ["0.281500", "-1.250000000", "0.000000005"]
    energy = components["import"]
    assert (energy["device_class"], energy["state_class"], energy["unit_of_measurement"]) == (
        "energy",
        "total_increasing",
        "Wh",
    )
    assert json.loads(json.dumps(discovery(box())))["device"]["model"] == "a meter"


def test_metrics_leave_out_what_is_not_known():
    text = metrics_text(box(refused=2), 50)
    assert "message_age_seconds" not in text
    assert "energy" not in text
    assert "transactive_box_refused_total 2\n" in text
    text = metrics_text(box(standing=(7, 8), heard=40), 50)
    assert "transactive_box_message_age_seconds 10\n" in text
    assert 'transactive_box_energy_watthours_total{register="export"} 8\n' in text
    assert all(len(line.split()) == 2 for line in text.splitlines() if not line.startswith("#"))


def test_the_dashboard_asks_for_metrics_that_there_are():
    text = metrics_text(box(standing=(1, 1), heard=0, last_slot=0, last_leaf=0, is_on_chain=True), 0)
    told = set(re.findall(r"^(transactive_box_\w+)", text, re.MULTILINE))
    asked = set(
        re.findall(
            r"transactive_box_\w+", (Path(__file__).parents[2] / "examples" / "grafana" / "boxes.json").read_text()
        )
    )
    assert asked <= told
    assert told - asked == {"transactive_box_messages_total"}


def test_metrics_are_served_at_one_address_alone():
    status = box()
    server = MetricsServer("127.0.0.1:0", lambda: metrics_text(status, 0))
    try:
        status.messages = 5
        with urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:
            assert b"transactive_box_messages_total 5\n" in answer.read()
        with pytest.raises(HTTPError) as refused:
            urlopen(f"http://127.0.0.1:{server.port}/key")
        refused.value.close()
        with pytest.raises(InputError, match="cannot be served there"):
            MetricsServer(f"127.0.0.1:{server.port}", str)
    finally:
        server.close()
    with pytest.raises(InputError, match="like 127"):
        MetricsServer("9464", str)


def test_half_sent_questions_do_not_take_the_files_of_the_box(monkeypatch):
    """Whoever asks next is answered, and no more threads are there than places."""
    monkeypatch.setattr(metrics_server, "PATIENCE_SECONDS", 0.5)
    server = MetricsServer("127.0.0.1:0", lambda: "counted 1\n")
    before, held = threading.active_count(), list[socket.socket]()
    try:
        for _ in range(5 * MOST):
            held.append(socket.create_connection(("127.0.0.1", server.port)))
            held[-1].sendall(b"GET /metrics HTTP/1.1\r\nX: ")
        with urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=LIMIT_SECONDS) as answer:
            assert answer.read() == b"counted 1\n"
        until(lambda: threading.active_count() <= before + MOST, "threads that came to an end")
    finally:
        for one in held:
            one.close()
        server.close()


@pytest.mark.parametrize(
    ("said", "wrong", "chain"),
    [({}, None, None), ({"last_leaf": 900}, "OFF", None), ({"wrong": 1, "is_on_chain": False}, "ON", "OFF")],
)
def test_a_home_sees_whether_its_market_settles_right(said, wrong, chain):
    told = states(box(**said), 1_000)
    assert (told.get(f"{BASE}/wrong"), told.get(f"{BASE}/chain")) == (wrong, chain)
    text = metrics_text(box(**said), 1_000)
    assert f"transactive_box_leaves_wrong {said.get('wrong', 0)}\n" in text
    assert ("as_on_chain" in text) == (chain is not None)
