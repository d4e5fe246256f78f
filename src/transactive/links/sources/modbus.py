"""Devices that are asked over Modbus TCP: registers by address, and points of SunSpec models wherever they stand."""

from __future__ import annotations

import json
import time
from collections.abc import Generator

from transactive.links.modbus import ModbusClient, modbus_place
from transactive.links.sources.address import MeterAddress
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.modbus_values import decode_words, models_of, place_of
from transactive.metering.meters.profile import ModbusProfile


class ModbusSource:
    """A device at modbus://HOST[:PORT][/UNIT]."""

    def __init__(self, address: MeterAddress) -> None:
        """Raises ConfigError for a profile of another kind, InputError for an address that is none."""
        modbus_place(address.url)
        self._profile = address.profile_of(ModbusProfile)
        self.traits = self._profile.traits
        self._url = address.url

    def messages(self) -> Generator[bytes, None, None]:
        """What stands in the registers, each time they are read. Raises OSError where the device does not answer."""
        with ModbusClient(self._url) as client:
            wanted = models_of(self._profile.points)
            models = client.sunspec_models() if wanted else {}
            while True:
                said = {
                    f"model:{name}": client.read("holding", *models[name]) for name in sorted(wanted & models.keys())
                }
                for register in self._profile.registers:
                    place = place_of(register)
                    table, address, words = place.split(":")
                    said[place] = client.read(table, int(address), int(words))
                yield json.dumps({place: words.hex() for place, words in said.items()}, sort_keys=True).encode()
                time.sleep(self._profile.every)

    def decode(self, raw: bytes) -> MeterState:
        """Registers of a message. Raises DataError."""
        return decode_words(self._profile, raw)
