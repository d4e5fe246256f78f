"""A page for Prometheus: one text at one address, made anew each time that it is asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from transactive.core.errors import InputError
from transactive.texts.prometheus import CONTENT


class MetricsServer:
    """Serves /metrics at HOST:PORT until it is ended. port: on which it listens."""

    def __init__(self, place: str, text: Callable[[], str]) -> None:
        """Raises InputError where the place is none or taken."""
        host, _, port = place.rpartition(":")
        if not host or not port.isdecimal():
            raise InputError(f"{place}: write where metrics are served like 127.0.0.1:9464")

        class Handler(BaseHTTPRequestHandler):
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
            self._server = ThreadingHTTPServer((host, int(port)), Handler)
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
