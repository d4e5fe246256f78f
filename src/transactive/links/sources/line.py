"""Meters on a line: P1 and what else a meter sends by itself, decoded here."""

from __future__ import annotations

from collections.abc import Callable, Generator

from transactive.core.errors import ConfigError
from transactive.links.addresses import meter_place, scheme_of
from transactive.links.lines import LineSetting, line_bytes
from transactive.links.sources.address import MeterAddress
from transactive.metering.decode import d0, dlms, p1, sml
from transactive.metering.decode.frames import CUTS, Frames
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.profile import LineProfile
from transactive.metering.meters.source import MeterTraits


class LineSource:
    """A meter at tcp://HOST:PORT, serial:///dev/…, or what one said in a file."""

    def __init__(self, address: MeterAddress) -> None:
        """Raises ConfigError for a profile of another kind, InputError for an address without its port."""
        if scheme_of(address.url) == "tcp":
            meter_place(address.url)
        profile = address.profile_of(LineProfile)
        self.traits: MeterTraits = profile.traits
        self._url = address.url
        self._setting = LineSetting(profile.baud, profile.bits, profile.parity, address.silence or profile.silence)
        self._frames = Frames(CUTS[profile.format])
        self._decode = _decoder(address, profile)

    def messages(self) -> Generator[bytes, None, None]:
        """Whole messages of the line. Raises OSError where it does not hold."""
        for data in line_bytes(self._url, self._setting):
            yield from self._frames.feed(data)

    def decode(self, raw: bytes) -> MeterState:
        """Registers of a message. Raises DataError."""
        return self._decode(raw)


def _decoder(address: MeterAddress, profile: LineProfile) -> Callable[[bytes], MeterState]:
    """How messages of a line are read. Raises ConfigError where a key is missing, InputError where it is none."""
    keys = dlms.meter_keys(address.secret)
    if profile.key and keys is None:
        raise ConfigError(f"{profile.title} encrypts; ask the grid company for its key, and name the file that has it")
    decoders: dict[str, Callable[[bytes], MeterState]] = {
        "p1": lambda raw: p1.decode(raw, address.winter_seconds),
        "dlms": lambda raw: dlms.decode(raw, keys),
        "sml": sml.decode,
        "d0": d0.decode,
    }
    return decoders[profile.format]
