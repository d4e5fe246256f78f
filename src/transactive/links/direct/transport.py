"""What a transport of direct trading is, and transports by name, through one group of entry points.

A package offers one in its pyproject.toml, as a function from where to listen to a transport::

    [project.entry-points."transactive.transports"]
    udp = "transactive.links.direct.udp:UdpTransport"

`links.direct.conformance` checks it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from transactive.core import installed

GROUP = "transactive.transports"
LARGEST = 1_200
"""Bytes of a datagram that every transport carries."""


class Transport(Protocol):
    """Carries datagrams between nodes. It may lose, double and reorder them, and never changes one.

    contact: what others send to, 64 bytes at most; it follows from no key of a slot, and is another one for each
    transport that is opened. Nothing is sent to any host but those that contacts name.
    """

    @property
    def contact(self) -> bytes:
        """Where this node is reached."""
        ...

    def send(self, contact: bytes, data: bytes) -> None:
        """Send a datagram; a contact that nobody can be at loses it without a word."""
        ...

    def receive(self, seconds: float) -> tuple[bytes, bytes] | None:
        """Contact of the sender and datagram; None if none comes within so many seconds."""
        ...

    def close(self) -> None:
        """Give up the contact."""
        ...


Opens = Callable[[str], Transport]
"""Opens a transport where it is told to listen."""


def load(name: str) -> Opens:
    """Import the transport called `name`. Raises ConfigError naming the known ones."""
    return cast("Opens", installed.find(GROUP, name, "transport").load())
