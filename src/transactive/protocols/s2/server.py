"""A WebSocket that devices of a home connect to, each with a manager of its own."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from transactive.core.errors import InputError, StateError
from transactive.links.listening import server_tls
from transactive.protocols.s2.manager import ManagedDevice

LOOPBACK = ("127.0.0.1", "::1", "localhost")
MOST_BYTES = 1024 * 1024
"""Largest message; a connection that sends a larger one is closed (1009)."""


@dataclass(frozen=True, slots=True)
class DeviceDoor:
    """Where devices connect, and what they show. token: empty where everybody at this machine may come."""

    host: str = "127.0.0.1"
    port: int = 8092
    token: str = ""
    certificate: Path | None = None
    key: Path | None = None


def device_server(made: Callable[[], ManagedDevice], door: DeviceDoor) -> Server:
    """A server for devices, bound to its port; `serve_forever` runs it, `shutdown` ends it.

    Raises InputError beyond this machine without a token and TLS, StateError where the port cannot be had.
    """
    if door.host not in LOOPBACK and not (door.token and door.certificate and door.key):
        raise InputError(f"--host {door.host}: beyond this machine give --token-file, --certificate and --key")
    if not 0 <= door.port <= 65_535:
        raise InputError(f"--port {door.port}: give 0 to 65535")
    tls = server_tls(door.certificate, door.key)

    def may_come(connection: ServerConnection, request: Request) -> Response | None:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if door.token and not hmac.compare_digest(shown.encode(), door.token.encode()):
            return connection.respond(HTTPStatus.UNAUTHORIZED, "show the token of this home: Authorization: Bearer …\n")
        return None

    def speak(connection: ServerConnection) -> None:
        device = made()
        try:
            connection.send(device.greeting().decode())
            for message in connection:
                raw = message.encode() if isinstance(message, str) else message
                for answer in device.heard(raw):
                    connection.send(answer.decode())
        except ConnectionClosed:
            return

    try:
        return serve(speak, door.host, door.port, ssl=tls, process_request=may_come, max_size=MOST_BYTES)
    except OSError as error:
        raise StateError(f"--port {door.port}: cannot be had at {door.host} ({error.strerror}); give another") from None
