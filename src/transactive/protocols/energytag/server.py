"""The registry of a state folder as a server: over TLS, or on this machine alone."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from transactive.core.errors import InputError, TransactiveError
from transactive.links.connections import BoundedProtocol
from transactive.links.listening import listen, server_tls
from transactive.protocols.energytag.app import build_registry_app
from transactive.protocols.energytag.delivering import deliver
from transactive.protocols.energytag.desk import RegistryDesk

LOOPBACK = ("127.0.0.1", "::1", "localhost")
PAUSE_SECONDS = 2.0
"""Between two rounds of what is in transit."""
STOP_SECONDS = 3.0
"""How long Ctrl-C waits for a receiver that says nothing."""
LOG = logging.getLogger("transactive.energytag")


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """Where a registry listens. url: under which others reach it, if not by host and port."""

    host: str = "127.0.0.1"
    port: int = 8091
    url: str = ""
    certificate: Path | None = None
    key: Path | None = None


class RegistryServer:
    """Serves the register of a folder until it is stopped; the run there may be going on."""

    def __init__(self, folder: Path, place: RegistryPlace) -> None:
        """Bind a socket. Raises InputError without TLS beyond this machine, StateError without a free port or run."""
        server_tls(place.certificate, place.key)  # what uvicorn could not use is said before anything is served
        if place.host not in LOOPBACK and place.certificate is None and not place.url.startswith("https://"):
            raise InputError(
                f"--host {place.host}: registries speak over TLS; give --certificate and --key, or the --url of a proxy"
                " that begins with https://"
            )
        desk = RegistryDesk(folder)
        self.name, self._folder = desk.name, folder
        self._socket = listen(place.host, place.port)
        port = int(self._socket.getsockname()[1])
        self.url = place.url.rstrip("/") or f"{'https' if place.certificate else 'http'}://{place.host}:{port}"
        config = uvicorn.Config(
            build_registry_app(desk), http=BoundedProtocol, ws="none", log_config=None, access_log=False,
            lifespan="off", timeout_graceful_shutdown=3, server_header=False, ssl_certfile=place.certificate,
            ssl_keyfile=place.key,
        )  # fmt: skip
        self._server, self._over = uvicorn.Server(config), threading.Event()
        self._thread: threading.Thread | None = None

    def run(self) -> None:
        """Serve and deliver until Ctrl-C."""
        delivering = threading.Thread(target=self._deliver, name="hand-overs", daemon=True)
        delivering.start()
        try:
            with contextlib.suppress(KeyboardInterrupt):
                self._server.run(sockets=[self._socket])
        finally:
            self._over.set()
            delivering.join(STOP_SECONDS)  # what it was about stays in transit, as after a kill
            self._socket.close()

    def start(self) -> None:
        """Run from a thread of its own; returns when the server answers."""
        self._thread = threading.Thread(target=self.run, name="registry", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)

    def stop(self) -> None:
        """End what `start` began."""
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join()

    def _deliver(self) -> None:
        """Deliver what is in transit, round by round; what goes wrong is logged once."""
        said = ""
        while True:
            try:
                deliver(self._folder, self._over.is_set)
            except TransactiveError as error:
                if str(error) != said:
                    said = str(error)
                    LOG.warning("nothing is delivered: %s", said)
            if self._over.wait(PAUSE_SECONDS):
                return
