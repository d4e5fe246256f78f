"""A device over MQTT: a battery, an immersion heater, or a heat pump with the states of SG-ready.

Source of those states: Bundesverband Wärmepumpe, "SG Ready" 1.1: 1 blocked, 2 as it likes, 3 more than it would, 4 on.
"""

from __future__ import annotations

import secrets
import threading
import time
from fractions import Fraction
from urllib.parse import unquote

from transactive.core.errors import DataError
from transactive.links.addresses import broker_parts
from transactive.links.mqtt import MqttClient
from transactive.metering.meters.json_values import number_in
from transactive.metering.meters.profile import JsonPlace
from transactive.node.dispatch.control import Task
from transactive.node.dispatch.device import MovedDevice, as_os_error, energy_wh
from transactive.node.dispatch.profile import POWER, MqttDeviceProfile, level_wh


class MqttDevice(MovedDevice):
    """A device at a broker. What that kept from earlier is not heard: nobody knows how old it is."""

    def __init__(self, profile: MqttDeviceProfile) -> None:
        super().__init__(profile)
        self._profile = profile
        self._name = unquote(broker_parts(profile.address).path.strip("/"))
        self._said: dict[str, tuple[float, str]] = {}
        self._changing = threading.Lock()
        topics = {self._topic(place.at) for place in (profile.charge, *profile.registers)}
        client = f"device-{secrets.token_hex(6)}"
        self._client = MqttClient(profile.address, client, tuple(sorted(topics)), self._hear, hear_kept=False)
        self._client.begin()

    def held_wh(self) -> int:
        """What it holds [Wh], by its own state of charge."""
        level = self._profile.charge
        return level_wh(level, self._number(level), self._profile.capacity_wh)

    def counted_wh(self) -> tuple[int, int] | None:
        """What it has drawn and given since it was made [Wh]; None where it does not count."""
        registers = self._profile.registers
        if not registers:
            return None
        return energy_wh([(one.register, one.unit, self._number(one)) for one in registers])

    def drawn_w(self, task: Task) -> int:
        """What it draws if it does what it is told [W]; in steps, that of the highest one that is reached."""
        power = task.power_w or 0
        reached = [step.from_w for step in self._profile.power.steps if step.from_w <= power]
        return reached[-1] if reached else power

    def close(self) -> None:
        """End the line to its broker."""
        self._client.end()

    def _tell(self, task: Task) -> None:
        """Publish what it shall do. Raises OSError while the broker is away."""
        if not self._client.is_connected:
            raise OSError("the device's broker is away")
        self._client.publish(self._topic(self._profile.power.at), self._payload(task).encode())

    def _payload(self, task: Task) -> str:
        """The message for a task."""
        point, power = self._profile.power, task.power_w or 0
        if task.power_w is None and point.release is not None:
            return point.release
        if task.is_blocked and point.blocked is not None and power <= 0:
            return point.blocked
        reached = [step.payload for step in point.steps if step.from_w <= power]
        if reached:
            return reached[-1]
        number = point.sign * power
        return point.payload.replace(POWER, str(number) if point.unit == "W" else f"{number / 1_000:g}")

    def _topic(self, at: str) -> str:
        """A topic of this device."""
        return at.replace("{device}", self._name)

    def _hear(self, topic: str, payload: bytes) -> None:
        """Keep what it said last."""
        with self._changing:
            self._said[topic] = time.monotonic(), payload.decode("utf-8", "replace")

    def _number(self, place: JsonPlace) -> Fraction:
        """The number that it said last at a place."""
        topic = self._topic(place.at)
        with self._changing:
            at, text = self._said.get(topic, (0.0, ""))
        if not text or time.monotonic() - at > self._profile.least_age:
            raise OSError(f"the device says nothing on {topic}")
        try:
            return number_in(text, place)
        except DataError as error:
            raise as_os_error(error) from None
