"""The VTN of a state folder as a server: over TLS, or on this machine alone."""

from __future__ import annotations

import contextlib
import resource
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from transactive.core.slots import DAY
from transactive.engine.live.boxes.import_limits import limits_in
from transactive.links.callbacks import Callbacks
from transactive.links.connections import BoundedProtocol
from transactive.links.listening import listen
from transactive.protocols.openadr.app import build_vtn_app
from transactive.protocols.openadr.clients import Doorkeeper
from transactive.protocols.openadr.published import DAYS, Made, limit_events, price_events, programs_of, publish
from transactive.protocols.openadr.sending import Repeating, send_due, wall_clock
from transactive.protocols.openadr.vtn import Vtn
from transactive.protocols.serving import ProtocolServer, require_tls
from transactive.store import Store
from transactive.store.protocols.openadr import ObjectBook
from transactive.store.read.advice import cleared_prices
from transactive.store.read.runs import Reader

MOST_CONNECTIONS = 4_096
PUBLISH_SECONDS, SEND_SECONDS = 2.0, 1.0


class ManyConnections(BoundedProtocol):
    """As many VENs as may poll at once, where the system allows so many files."""

    most = MOST_CONNECTIONS


@dataclass(frozen=True, slots=True)
class Served:
    """How a VTN is served. url: under which clients reach it, if not by host and port; inside: callbacks here too."""

    host: str = "127.0.0.1"
    port: int = 8090
    url: str = ""
    certificate: Path | None = None
    key: Path | None = None
    callback_authority: str = ""
    inside: bool = False


class VtnServer(ProtocolServer):
    """Serves the VTN of a folder until it is stopped; the run there may be going on."""

    def __init__(self, folder: Path, served: Served) -> None:
        """Bind a socket. Raises InputError without TLS beyond this machine, StateError without a free port."""
        require_tls(served.host, served.url, served.certificate, served.key, "OpenADR 3.1 is spoken")
        self._stack = ExitStack()
        with ExitStack() as stack:
            self._book = stack.enter_context(contextlib.closing(ObjectBook(folder)))
            self._reader = Reader(stack.enter_context(contextlib.closing(Store(folder))))
            self._socket = stack.enter_context(contextlib.closing(listen(served.host, served.port)))
            self._stack = stack.pop_all()
        self._folder, self.port = folder, int(self._socket.getsockname()[1])
        scheme = "https" if served.certificate else "http"
        self.url = served.url.rstrip("/") or f"{scheme}://{served.host}:{self.port}"
        self._callbacks = Callbacks(served.callback_authority, inside=served.inside)
        self.vtn = Vtn(self._book, Doorkeeper(folder), self._callbacks.check)
        allow_files(MOST_CONNECTIONS + 200)
        config = uvicorn.Config(
            build_vtn_app(self.vtn, lambda: self.url), http=ManyConnections, ws="none", log_config=None,
            access_log=False, lifespan="off", timeout_graceful_shutdown=3, server_header=False, timeout_keep_alive=65,
            ssl_certfile=served.certificate, ssl_keyfile=served.key, backlog=MOST_CONNECTIONS,
        )  # fmt: skip
        self._server = uvicorn.Server(config)

    def run(self) -> None:
        """Publish, send and serve until Ctrl-C."""
        self.publish()
        publishing = Repeating(self.publish, PUBLISH_SECONDS, "what the community tells")
        sending = Repeating(lambda: send_due(self._book, self._callbacks.tell, wall_clock()), SEND_SECONDS, "notices")
        try:
            with contextlib.suppress(KeyboardInterrupt):
                self._server.run(sockets=[self._socket])
        finally:
            publishing.end()
            sending.end()
            self.close()

    def close(self) -> None:
        """Close the socket and the databases of a server that does not run."""
        self._stack.close()

    def publish(self) -> int:
        """Tell what the run has come to; returns how much of it is new."""
        run = self._reader.run()
        if run is None:
            return 0
        newest = self._reader.position().cleared
        wanted: Made = programs_of(run.community.currency)
        if newest is not None:
            first = newest - newest % DAY - (DAYS - 1) * DAY
            wanted |= price_events(cleared_prices(self._reader.store, first), run.clock.length)
        now = int(time.time())
        limits = [one for one in limits_in(self._folder) if one.end > now and one.member < len(run.community.ids)]
        return publish(self.vtn, wanted | limit_events(limits, run.community.ids))


def allow_files(wanted: int) -> None:
    """Let this process open so many files, as far as the system allows."""
    soft, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    if soft != resource.RLIM_INFINITY and soft < goal:
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, most))
