"""Bytes of a meter that sends by itself: a converter on the network, a serial port, or a file."""

from __future__ import annotations

import os
import select
import socket
import termios
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from transactive.core.errors import InputError
from transactive.links.addresses import meter_place, scheme_of

AT_ONCE = 4_096
BAUDS = (300, 1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)


@dataclass(frozen=True, slots=True)
class LineSetting:
    """How a serial line is set. silence: how long any line may say nothing until it is opened anew [s]."""

    baud: int = 115_200
    bits: Literal[7, 8] = 8
    parity: Literal["none", "even"] = "none"
    silence: int = 30


def line_bytes(url: str, setting: LineSetting) -> Iterator[bytes]:
    """Bytes of tcp://HOST:PORT or serial:///dev/…, as long as the line holds; those of file://PATH, until it ends.

    Raises OSError where it does not hold or says nothing, InputError for another address or a rate that no port has.
    """
    if scheme_of(url) == "file":
        yield from _of_file(Path(url.partition("://")[2]))
        return
    if scheme_of(url) == "serial":
        yield from _of_port(url.partition("://")[2], setting)
    else:
        with socket.create_connection(meter_place(url), setting.silence) as line:
            while data := line.recv(AT_ONCE):
                yield data
    raise OSError("the line was ended")


def _of_file(path: Path) -> Iterator[bytes]:
    """Bytes of a file."""
    with path.open("rb") as stream:
        while data := stream.read(AT_ONCE):
            yield data


def _of_port(device: str, setting: LineSetting) -> Iterator[bytes]:
    """Bytes of a serial port, which is put back as it was."""
    port = os.open(device, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    before = None
    try:
        before = _set(port, device, setting)
        while True:
            if not select.select([port], [], [], setting.silence)[0]:
                raise OSError(f"the port says nothing for {setting.silence} s")
            data = os.read(port, AT_ONCE)
            if not data:
                return
            yield data
    finally:
        if before is not None:
            with suppress(termios.error):
                termios.tcsetattr(port, termios.TCSANOW, before)
        os.close(port)


def _set(port: int, device: str, setting: LineSetting) -> list[int | list[bytes | int]]:
    """Set a port to raw bytes; returns how it was. Raises InputError for a rate that no port has."""
    if setting.baud not in BAUDS:
        raise InputError(f"{setting.baud} baud: a port has {', '.join(map(str, BAUDS))}")
    try:
        before = termios.tcgetattr(port)
    except termios.error:
        raise InputError(f"{device}: is no serial port") from None
    rate = getattr(termios, f"B{setting.baud}")
    control = termios.CREAD | termios.CLOCAL | (termios.CS7 if setting.bits == 7 else termios.CS8)
    control |= termios.PARENB if setting.parity == "even" else 0
    termios.tcsetattr(port, termios.TCSANOW, [0, 0, control, 0, rate, rate, before[6]])
    return before
