"""Modbus TCP: reads and writes the words of a device.

Source: Modbus Application Protocol 1.1b3 and Modbus Messaging on TCP/IP 1.0b (modbus.org): a head of transaction,
protocol 0, length and unit, then a function and its data.
"""

from __future__ import annotations

import socket
import struct
import time
from types import TracebackType
from typing import Self

from transactive.core.errors import InputError
from transactive.links.addresses import device_place

READ = {"holding": 3, "input": 4}
WRITE = 16
MOST_WORDS, MOST_WRITTEN = 125, 123
"""Words in one answer, and in one request that writes, at most."""
HEAD = struct.Struct(">HHHB")
PORT, UNIT = 502, 1
REFUSED = {1: "it knows no such function", 2: "it has no such address", 3: "it takes no such value"}
SUNSPEC_PLACES, SUNSPEC_MARK, SUNSPEC_END = (40_000, 50_000, 0), b"SunS", 0xFFFF
MOST_MODELS = 100
ADDRESSES, LEAST_WAIT_SECONDS = 65_536, 0.001
LEAST_ANSWER = 3
"""Bytes of the shortest answer, from its unit on: one that refuses."""


def modbus_place(url: str) -> tuple[str, int, int]:
    """Host, port and unit of modbus://HOST[:PORT][/UNIT]. Raises InputError for another address."""
    place = device_place(url, "modbus", PORT)
    unit = place.rest or str(UNIT)
    if not unit.isdecimal() or int(unit) > 255:
        raise InputError(f"{url}: after the port of a Modbus device comes its unit, a number of 0 to 255")
    return place.host, place.port, int(unit)


class ModbusClient:
    """A connection to one device, modbus://HOST[:PORT][/UNIT]. Raises OSError where it breaks or refuses."""

    def __init__(self, url: str, patience: float = 5.0) -> None:
        """patience: how long an answer may take [s]. Raises InputError for another address."""
        host, port, self._unit = modbus_place(url)
        self._transaction, self._patience, self._until = 0, patience, 0.0
        self._socket = socket.create_connection((host, port), patience)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def read(self, table: str, address: int, count: int) -> bytes:
        """So many words from an address on, high byte first."""
        if address + count > ADDRESSES:
            raise OSError(f"the device has no {count} words from {address} on; addresses end at {ADDRESSES - 1}")
        found = b""
        for start in range(0, count, MOST_WORDS):
            some = min(MOST_WORDS, count - start)
            answer = self._ask(struct.pack(">BHH", READ[table], address + start, some))
            if len(answer) != 2 * some + 1 or answer[0] != 2 * some:
                raise OSError(f"the device answers {len(answer)} bytes for {some} words")
            found += answer[1:]
        return found

    def write(self, address: int, words: bytes) -> None:
        """Put words into holding registers from an address on, high byte first."""
        count = len(words) // 2
        if address + count > ADDRESSES or not 0 < count <= MOST_WRITTEN:
            raise OSError(f"{count} words cannot be written from {address} on")
        answer = self._ask(struct.pack(">BHHB", WRITE, address, count, len(words)) + words)
        if answer != struct.pack(">HH", address, count):
            raise OSError("the device answers that it took something else")

    def sunspec_models(self) -> dict[int, tuple[int, int]]:
        """Address and words of the first of each SunSpec model. Raises OSError where there are none."""
        for place in SUNSPEC_PLACES:
            try:
                if self.read("holding", place, 2) == SUNSPEC_MARK:
                    return self._walk(place + 2)
            except RefusedAddress:
                continue
        raise OSError("the device has no SunSpec models at 40000, 50000 or 0")

    def _walk(self, address: int) -> dict[int, tuple[int, int]]:
        """Models one after the other, each with its number and length, until the end."""
        found = dict[int, tuple[int, int]]()
        for _ in range(MOST_MODELS):
            model, length = struct.unpack(">HH", self.read("holding", address, 2))
            if model == SUNSPEC_END:
                return found
            found.setdefault(model, (address, length + 2))
            address += length + 2
        raise OSError(f"the device has more than {MOST_MODELS} SunSpec models, without an end")

    def _ask(self, request: bytes) -> bytes:
        """What a device answers, after its function."""
        self._transaction = (self._transaction + 1) % 65_536
        self._until = time.monotonic() + self._patience
        self._socket.sendall(HEAD.pack(self._transaction, 0, len(request) + 1, self._unit) + request)
        transaction, protocol, length, unit = HEAD.unpack(self._exactly(HEAD.size))
        if (transaction, protocol, unit) != (self._transaction, 0, self._unit) or not LEAST_ANSWER <= length <= 260:
            raise OSError("the device answers something that was not asked")
        answer = self._exactly(length - 1)
        if answer[0] == request[0] | 0x80:
            raise RefusedAddress(f"the device refuses: {REFUSED.get(answer[1], f'reason {answer[1]}')}")
        if answer[0] != request[0]:
            raise OSError("the device answers with another function")
        return answer[1:]

    def _exactly(self, count: int) -> bytes:
        """So many bytes, all of them in time: a device that drips keeps nobody waiting for long."""
        found = b""
        while len(found) < count:
            self._socket.settimeout(max(self._until - time.monotonic(), LEAST_WAIT_SECONDS))
            some = self._socket.recv(count - len(found))
            if not some:
                raise OSError("the device ended the line")
            found += some
        return found


class RefusedAddress(OSError):
    """A device has said that it cannot do that."""
