"""What the servers of all protocols share: TLS beyond this machine, and a thread of their own."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from pathlib import Path

import uvicorn

from transactive.core.errors import InputError
from transactive.links.listening import server_tls

LOOPBACK = ("127.0.0.1", "::1", "localhost")


def require_tls(host: str, url: str, certificate: Path | None, key: Path | None, spoken: str) -> None:
    """Require what keeps a line beyond this machine secret. spoken: what is said there. Raises InputError."""
    server_tls(certificate, key)  # what uvicorn could not use is said before anything is served
    if host not in LOOPBACK and certificate is None and not url.startswith("https://"):
        raise InputError(
            f"--host {host}: {spoken} over TLS; give --certificate and --key, or the --url of a proxy that begins with"
            " https://"
        )


class ProtocolServer(ABC):
    """A server that runs until Ctrl-C, or from a thread of its own until it is stopped."""

    _server: uvicorn.Server
    _thread: threading.Thread | None = None

    @abstractmethod
    def run(self) -> None:
        """Serve until Ctrl-C."""

    def start(self) -> None:
        """Run from a thread of its own; returns when the server answers."""
        self._thread = threading.Thread(target=self.run, name=type(self).__name__, daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)

    def stop(self) -> None:
        """End what `start` began."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()
