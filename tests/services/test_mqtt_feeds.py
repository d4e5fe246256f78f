"""A feed that somebody publishes: what a real broker kept of it is taken, from the topic of its address."""

import json

import pytest

from tests.waiting import until
from transactive.cli.feed.actions import shown
from transactive.links.mqtt import MqttClient

pytestmark = pytest.mark.service


def test_what_a_broker_kept_of_a_topic_is_what_the_feed_tells(broker):
    kept: list[bytes] = []
    client = MqttClient(broker.url, "publisher", ("prices/at",), lambda _, payload: kept.append(payload))
    client.begin()
    until(lambda: client.is_connected, "the publisher at the broker")
    rows = [{"start_timestamp": 1_428_591_600_000, "marketprice": 42.09, "unit": "Eur/MWh"}]
    client.publish("prices/at", json.dumps({"data": rows}).encode(), retain=True)
    until(lambda: kept, "a message that the broker keeps")
    client.end()
    told = shown("awattar-at", f"{broker.url}/prices/at", [], None)
    assert (told["told_from"], told["most"], told["stale"]) == ("2015-04-09T15:00Z", 42_090, True)
