"""Devices that publish over MQTT: what was said last on each topic of a profile, while it is fresh."""

from __future__ import annotations

import queue
import secrets
import time
from collections.abc import Generator
from urllib.parse import unquote

from transactive.core.errors import InputError
from transactive.links.addresses import broker_parts
from transactive.links.mqtt import MqttClient
from transactive.links.sources.address import MeterAddress
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.json_values import decode_texts, pack_texts, places_of
from transactive.metering.meters.profile import MqttProfile

DEVICE = "{device}"


class MqttSource:
    """A device at mqtt(s)://[USER:PASSWORD@]HOST[:PORT]/DEVICE.

    What the broker kept from earlier is not heard: nobody knows how old it is.
    """

    def __init__(self, address: MeterAddress) -> None:
        """Raises ConfigError for a profile of another kind, InputError for an address without its device."""
        self._profile = address.profile_of(MqttProfile)
        self.traits = self._profile.traits
        device = unquote(broker_parts(address.url).path.strip("/"))
        places = places_of(self._profile)
        if any(sign in device for sign in "+#") or (not device and any(DEVICE in place for place in places)):
            raise InputError(f"{address.url}: after the broker comes the name of the device, as in mqtt://broker/NAME")
        self._url, self._silence = address.url, address.silence or self._profile.silence
        self._places = {place.replace(DEVICE, device): place for place in places}

    def messages(self) -> Generator[bytes, None, None]:
        """What was said last on all topics, whenever one says something. Raises OSError where none does for long."""
        came: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        name = f"meter-{secrets.token_hex(6)}"
        client = MqttClient(self._url, name, tuple(self._places), lambda *said: came.put(said), hear_kept=False)
        said = dict[str, tuple[float, str]]()
        client.begin()
        try:
            while True:
                topic, payload = came.get(timeout=self._silence)
                now = time.monotonic()
                said[self._places[topic]] = now, payload.decode("utf-8", "replace")
                fresh = {place: text for place, (at, text) in said.items() if now - at <= self._profile.least_age}
                if len(fresh) == len(self._places):
                    yield pack_texts(fresh)
        except queue.Empty:
            raise OSError(f"no topic of {', '.join(self._places)} says anything for {self._silence} s") from None
        finally:
            client.end()

    def decode(self, raw: bytes) -> MeterState:
        """Registers of a message. Raises DataError."""
        return decode_texts(self._profile, raw)
