"""The registry of a state folder as a server: over TLS, or on this machine alone."""

from __future__ import annotations

import contextlib
import logging
import threading
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from transactive.core.errors import TransactiveError
from transactive.links.connections import BoundedProtocol
from transactive.links.listening import listen
from transactive.protocols.energytag.app import build_registry_app
from transactive.protocols.energytag.delivering import deliver
from transactive.protocols.energytag.desk import RegistryDesk
from transactive.protocols.serving import ProtocolServer, require_tls

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


class RegistryServer(ProtocolServer):
    """Serves the register of a folder until it is stopped; the run there may be going on."""

    def __init__(self, folder: Path, place: RegistryPlace) -> None:
        """Bind a socket. Raises InputError without TLS beyond this machine, StateError without a free port or run."""
        require_tls(place.host, place.url, place.certificate, place.key, "registries speak")
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
