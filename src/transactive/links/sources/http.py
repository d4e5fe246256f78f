"""Devices that are asked over HTTP: what stands at each path of a profile, every so many seconds."""

from __future__ import annotations

import time
from collections.abc import Generator

from transactive.core.errors import ConfigError
from transactive.links.http import HttpClient
from transactive.links.sources.address import MeterAddress
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.json_values import MOST, decode_texts, pack_texts, places_of
from transactive.metering.meters.profile import HttpProfile


class HttpSource:
    """A device at http(s)://[USER:PASSWORD@]HOST[:PORT][?ca=FILE], read with its token where it wants one."""

    def __init__(self, address: MeterAddress) -> None:
        """Raises ConfigError for a profile of another kind or without its token, InputError for another address."""
        self._profile = address.profile_of(HttpProfile)
        self.traits = self._profile.traits
        self._client = HttpClient(address.url, address.secret)
        if self._profile.token and not address.secret:
            raise ConfigError(f"{self._profile.title} wants a token; name the file that has it")

    def messages(self) -> Generator[bytes, None, None]:
        """What the device says, each time it is asked. Raises OSError where it does not answer."""
        while True:
            yield pack_texts({place: self._ask(place) for place in places_of(self._profile)})
            time.sleep(self._profile.every)

    def decode(self, raw: bytes) -> MeterState:
        """Registers of a message. Raises DataError."""
        return decode_texts(self._profile, raw)

    def _ask(self, place: str) -> str:
        """What stands at a path. Raises OSError."""
        return self._client.ask(place, MOST).decode("utf-8", "replace")
