"""Devices that answer what no device says, and what people type wrongly: each has its reason, and ends in time."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from transactive.cli.node.probing import probe_meter
from transactive.core.errors import InputError
from transactive.links.http import HttpClient
from transactive.links.modbus import ModbusClient
from transactive.node.settings import meter_address

MODEL = struct.Struct(">HHHBBBHH")


@contextmanager
def device(*answers: bytes, drips: bool = False, numbers: bool = True) -> Iterator[int]:
    """A port that gives each request its answer, in which the request's own number stands; or one that drips."""

    def serve() -> None:
        line, _ = server.accept()
        with line, suppress(OSError):
            for number, answer in enumerate(answers, 1):
                line.recv(512)
                line.sendall((number.to_bytes(2, "big") if numbers else b"") + answer)
            while drips and not over.wait(0.02):
                line.sendall(b"0")

    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        over.set()
        thread.join(5)


def words(*values: int) -> bytes:
    return struct.pack(f">HHBBB{len(values)}H", 0, 3 + 2 * len(values), 1, 3, 2 * len(values), *values)


def test_a_refusal_without_its_reason_is_no_answer() -> None:
    with (
        device(struct.pack(">HHBB", 0, 2, 1, 0x83)) as port,
        ModbusClient(f"modbus://127.0.0.1:{port}") as client,
        pytest.raises(OSError, match="was not asked"),
    ):
        client.read("holding", 0, 2)


def test_models_beyond_the_last_address_are_none() -> None:
    mark = struct.unpack(">HH", b"SunS")
    with (
        device(words(*mark), words(1, 65_535)) as port,
        ModbusClient(f"modbus://127.0.0.1:{port}") as client,
        pytest.raises(OSError, match="addresses end at 65535"),
    ):
        client.sunspec_models()


def test_an_answer_over_modbus_that_drips_is_not_waited_for() -> None:
    begun = time.monotonic()
    with (
        device(struct.pack(">HHB", 0, 250, 1), drips=True) as port,
        ModbusClient(f"modbus://127.0.0.1:{port}", patience=0.3) as client,
        pytest.raises(OSError, match="timed out"),
        closing(client._socket),
    ):
        client.read("holding", 0, 2)
    assert time.monotonic() - begun < 4  # 250 bytes drip for five seconds


@pytest.mark.parametrize("said", [b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 200 OK\r\nServer: ", b"HTT"])
def test_an_answer_over_http_that_never_ends_is_not_waited_for(said: bytes) -> None:
    begun = time.monotonic()
    with device(said, drips=True, numbers=False) as port, pytest.raises(OSError, match="not whole after"):
        HttpClient(f"http://127.0.0.1:{port}", patience=0.3).ask("/api", 1_000)
    assert time.monotonic() - begun < 4  # what drips, drips for five seconds


@pytest.mark.parametrize(
    ("meter", "count", "wait", "reason"),
    [
        ("tcp://127.0.0.1:9", -1, 5, "--count -1"),
        ("tcp://127.0.0.1:9", 10**30, 5, "--count"),
        ("tcp://127.0.0.1:9", 1, -1, "--wait -1"),
        ("tcp://127.0.0.1:9", 1, 10**20, "--wait"),
        ("a" * 5_000, 1, 5, "is no file and no address"),
        ("a\0b", 1, 5, "is no file and no address"),
    ],
)
def test_what_is_typed_wrongly_has_its_reason(meter: str, count: int, wait: int, reason: str) -> None:
    with pytest.raises(InputError, match=reason) as error:
        probe_meter(meter, "dsmr-p1", "", 3_600, count, wait, live=False)
    assert len(str(error.value)) < 400


def test_an_address_of_a_web_device_that_is_none_has_its_reason() -> None:
    for wrong in ("http://[::1", "http://host:x", "http://host:99999", "http://"):
        with pytest.raises(InputError, match="write the address of the device"):
            probe_meter(wrong, "homewizard-p1", "", 3_600, 1, 5, live=False)


def test_a_meter_is_in_no_time_zone_that_there_is_not() -> None:
    for seconds in (10**30, 25 * 3_600, -25 * 3_600):
        with pytest.raises(InputError, match="ahead of UTC"):
            meter_address("tcp://127.0.0.1:9", "dsmr-p1", Path(), seconds, "")
