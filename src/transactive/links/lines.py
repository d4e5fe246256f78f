"""Messages of a meter that sends text on a line: P1 over TCP, as from a converter on the network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from transactive.links.addresses import meter_place

MOST = 65_536
"""Bytes that are kept of a message without an end; then they are thrown away."""
SILENCE_SECONDS = 30
"""How long a line may say nothing until it is opened anew."""


def telegrams(url: str, silence: int = SILENCE_SECONDS) -> Iterator[bytes]:
    """Telegrams of tcp://HOST:PORT, each from `/` to the line with `!`, as long as the line holds.

    silence: how long it may say nothing [s]. Raises OSError where it does not hold, InputError for another address.
    """
    with socket.create_connection(meter_place(url), silence) as line, line.makefile("rb") as stream:
        yield from _whole(stream)
    raise OSError("the line was ended")


def in_file(path: Path) -> Iterator[bytes]:
    """Telegrams of a file."""
    with path.open("rb") as stream:
        yield from _whole(stream)


def _whole(stream: BinaryIO) -> Iterator[bytes]:
    """Whole telegrams of a stream, until it ends."""
    said = b""
    while text := stream.readline(MOST):
        said = text if text.startswith(b"/") else said + text if said else b""
        if len(said) > MOST:
            said = b""
        elif said and text.startswith(b"!"):
            yield said
            said = b""
