"""A page for Prometheus: one text at one address, made anew each time that it is asked for.

It is served by the process that reads meters, so it holds few connections: who says nothing for `PATIENCE_SECONDS` is
let go, and where all places are taken the oldest connection makes room for the new one.
"""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from transactive.core.errors import InputError
from transactive.texts.prometheus import CONTENT

MOST = 16
"""Connections at once."""
PATIENCE_SECONDS = 5.0
"""Between two bytes of a question."""


class BoundedServer(ThreadingHTTPServer):
    """Answers each connection in a thread of its own, of which there are few."""

    request_queue_size = 4 * MOST  # who has to wait longer than that many is made to try again after a second

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - as the library takes them
        self._lock, self._there = threading.Lock(), dict[Any, None]()
        super().__init__(*given)

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has them
        """Take a place, if need be the oldest one's."""
        with self._lock:
            oldest = next(iter(self._there)) if len(self._there) >= MOST else None
            self._there.pop(oldest, None)
            self._there[request] = None
        if oldest is not None:
            self._let_go(oldest)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401 - as the library has it
        """Leave the place."""
        with self._lock:
            self._there.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as the library has them
        """Say nothing of a connection that broke."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    @staticmethod
    def _let_go(request: socket.socket) -> None:
        """Let a thread that waits for the rest of a question come to its end."""
        try:
            request.shutdown(socket.SHUT_RDWR)
        except OSError:
            return


class MetricsServer:
    """Serves /metrics at HOST:PORT until it is ended. port: on which it listens."""

    def __init__(self, place: str, text: Callable[[], str]) -> None:
        """Raises InputError where the place is none or taken."""
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal():
            raise InputError(f"{place}: write where metrics are served like 127.0.0.1:9464")

        class Handler(BaseHTTPRequestHandler):
            timeout = PATIENCE_SECONDS

            def do_GET(self) -> None:
                known = self.path == "/metrics"
                said = text().encode() if known else b"/metrics\n"
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", CONTENT)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_: object) -> None:
                """Say nothing of each question."""

        try:
            self._server = BoundedServer((host, int(port)), Handler)
        except (OSError, OverflowError) as error:
            raise InputError(f"{place}: metrics cannot be served there ({error})") from None
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Come to an end."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
