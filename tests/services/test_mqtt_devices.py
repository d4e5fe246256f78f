"""A heater at a real broker: it is heard and told, and the box says so when the broker is gone."""

import pytest

from tests.waiting import until
from transactive.links.mqtt import MqttClient
from transactive.node.dispatch.control import LEFT_ALONE, Task
from transactive.node.dispatch.mqtt import MqttDevice
from transactive.node.dispatch.profile import JsonLevel, JsonPower, MqttDeviceProfile

pytestmark = pytest.mark.service


def test_a_heater_is_heard_and_told_and_a_broker_that_is_away_is_no_silence(broker):
    level, power = JsonLevel(at="{device}/celsius", empty=40, full=60), JsonPower(at="{device}/set", release="auto")
    device = MqttDevice(
        MqttDeviceProfile(address=f"{broker.url}/boiler", capacity_wh=2_000, charge_w=3_000, charge=level, power=power)
    )
    told = list[bytes]()
    heater = MqttClient(broker.url, "heater", ("boiler/set",), lambda _, payload: told.append(payload))
    heater.begin()
    until(lambda: heater.is_connected and device._client.is_connected, "both at the broker")

    def holds() -> bool:
        heater.publish("boiler/celsius", b"50.5")
        try:
            return device.held_wh() == 1_050
        except OSError:
            return False

    until(holds, "what the heater says")
    device.lease(Task(1_500), 1.0)
    device.lease(LEFT_ALONE, 2.0)
    until(lambda: told == [b"1500", b"auto"], "what the heater is told")
    broker.kill()
    until(lambda: not device._client.is_connected, "the broker gone")
    with pytest.raises(OSError, match="broker is away"):
        device.lease(Task(1_500), 3.0)
    device.close()
    heater.end()
