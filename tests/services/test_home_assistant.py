"""A box in Home Assistant, over a real broker: discovered, told, and unavailable when it is gone."""

import json

import pytest

from tests.waiting import until
from transactive.links.mqtt import MqttClient
from transactive.node.home_assistant import HomeAssistant
from transactive.node.status import BoxStatus

pytestmark = pytest.mark.service
ADDRESS = "0x" + "ab" * 20
BASE = f"transactive-box/{ADDRESS}"


def test_a_box_is_discovered_and_unavailable_when_it_is_gone(broker):
    status = BoxStatus(ADDRESS, "a meter", standing=(5, 6, 0, 0, 0), heard=2**40)
    home = HomeAssistant(broker.url, status)
    said: dict[str, bytes] = {}
    listener = MqttClient(
        broker.url, "home", ("homeassistant/#", f"{BASE}/#"), lambda topic, payload: said.update({topic: payload})
    )
    listener.begin()
    until(lambda: said.get(f"{BASE}/import") == b"5", "the box's register")
    (config,) = (payload for topic, payload in said.items() if topic.startswith("homeassistant/device/"))
    for one in json.loads(config)["components"].values():
        assert all(there["topic"] in said for there in one["availability"])
    assert said[f"{BASE}/status"] == b"online"
    broker.kill()
    said.clear()
    broker.start()
    until(lambda: said.get(f"{BASE}/status") == b"online", "the box, said anew to a broker that forgot it")
    home.end()
    until(lambda: said.get(f"{BASE}/status") == b"offline", "the box gone")
    listener.end()
