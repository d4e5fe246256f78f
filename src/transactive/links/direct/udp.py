"""Datagrams over UDP, for tests and for one network without address translation. A contact is IPv4 address and port.

Nobody checks where a datagram says it comes from, so who forges addresses can have answers sent to others; between
homes a transport with keys of its own is the better one.
"""

from __future__ import annotations

import select
import socket
import struct

from transactive.core.errors import InputError

_CONTACT = struct.Struct(">4sH")
MOST = 65_535
_ANYWHERE = socket.inet_aton("0.0.0.0")  # noqa: S104 - no address that others can be told


class UdpTransport:
    """A socket at HOST, or at HOST:PORT; without a port one that is free."""

    def __init__(self, listen: str = "127.0.0.1") -> None:
        """Open the socket. Raises InputError for an address that cannot be had."""
        host, _, port = listen.partition(":")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((host, int(port or 0)))
        except (OSError, ValueError, OverflowError) as error:
            self._socket.close()
            raise InputError(f"cannot listen at {listen}: {error}; give HOST or HOST:PORT of this machine") from None
        if self.contact.startswith(_ANYWHERE):
            self._socket.close()
            raise InputError(
                f"cannot be sent to at {listen!r}; give HOST or HOST:PORT of this machine, as others see it"
            )
        self._socket.settimeout(0)

    @property
    def contact(self) -> bytes:
        """Address and port, 6 bytes."""
        host, port = self._socket.getsockname()
        return _CONTACT.pack(socket.inet_aton(host), port)

    def send(self, contact: bytes, data: bytes) -> None:
        """Send a datagram, or lose it."""
        if len(contact) != _CONTACT.size:
            return
        host, port = _CONTACT.unpack(contact)
        try:
            self._socket.sendto(data, (socket.inet_ntoa(host), port))
        except OSError:  # a full buffer, an address that cannot be: lost, as on the way
            return

    def receive(self, seconds: float) -> tuple[bytes, bytes] | None:
        """The next datagram and who sent it."""
        ready, _, _ = select.select([self._socket], [], [], max(seconds, 0))
        if not ready:
            return None
        try:
            data, (host, port) = self._socket.recvfrom(MOST)
        except OSError:  # word of an earlier one that nobody took
            return None
        return _CONTACT.pack(socket.inet_aton(host), port), data

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()
