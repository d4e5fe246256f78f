"""Devices that publish: what a real broker brings of them, and what it kept from earlier."""

import json
import threading
from contextlib import closing

import pytest

from tests.unit.test_meter_profiles import sample
from tests.waiting import until
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import MeterAddress, open_meter
from transactive.metering.meters.profile import load_meter_profile

pytestmark = pytest.mark.service


@pytest.fixture
def device(broker):
    client = MqttClient(broker.url, "device", (), lambda *_: None)
    client.begin()
    until(lambda: client.is_connected, "the device at the broker")
    yield client
    client.end()


@pytest.mark.parametrize("name", ["esphome", "glow", "home-assistant", "tasmota", "zigbee2mqtt"])
def test_a_device_that_publishes_is_read_from_all_its_topics(name, broker, device):
    raw, state = sample(name)
    source = open_meter(MeterAddress(f"{broker.url}/my%20device", load_meter_profile(name)))
    over = threading.Event()

    def publish():
        while not over.wait(0.05):
            for place, text in json.loads(raw).items():
                device.publish(place.replace("{device}", "my device"), text.encode())

    thread = threading.Thread(target=publish)
    thread.start()
    with closing(source.messages()) as messages:
        said = next(messages)
    over.set()
    thread.join()
    assert source.decode(said) == state


def test_what_the_broker_kept_is_too_old_to_be_told(broker, device):
    raw, _ = sample("tasmota")
    (text,) = json.loads(raw).values()
    kept: list[bytes] = []
    reader = MqttClient(broker.url, "reader", ("tele/plug/SENSOR",), lambda _, payload: kept.append(payload))
    reader.begin()
    device.publish("tele/plug/SENSOR", text.encode(), retain=True)
    until(lambda: kept, "a message that the broker keeps")
    reader.end()
    source = open_meter(MeterAddress(f"{broker.url}/plug", load_meter_profile("tasmota"), silence=1))
    with closing(source.messages()) as messages, pytest.raises(OSError, match="says anything for 1 s"):
        next(messages)


def test_a_broker_that_is_away_is_told_and_found_again(broker):
    told: list[str] = []
    client = MqttClient(
        broker.url, "box", (), lambda *_: None, lambda: told.append("there"), lambda: told.append("away")
    )
    client.begin()
    until(lambda: told == ["there"], "the broker")
    broker.kill()
    until(lambda: told == ["there", "away"], "that it is away")
    broker.start()
    until(lambda: told[-1] == "there", "the broker again")
    client.end()
