"""The server of the page: a socket on this machine and uvicorn behind it, in the foreground or beside a run."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from pathlib import Path

import uvicorn

from transactive.core.errors import InputError, StateError
from transactive.links.connections import BoundedProtocol
from transactive.links.listening import listen
from transactive.store import Store
from transactive.store.read.runs import Reader
from transactive.web.app import build_app
from transactive.web.change_feed import ChangeFeed
from transactive.web.entry import BrowserEntry
from transactive.web.serving.quiet_log import QuietLog
from transactive.web.tokens import read_grants
from transactive.web.viewers import LOOPBACK, is_open_here

LOGS = ("transactive.web", "uvicorn.error", "asyncio")
QUIET = QuietLog()
"""One for all logs, so that no flood of requests becomes one of lines."""


class _Server(uvicorn.Server):
    """Uvicorn that lets endless answers end before it waits for them."""

    def __init__(self, config: uvicorn.Config, feed: ChangeFeed) -> None:
        super().__init__(config)
        self.feed = feed

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End streams, then everything else."""
        self.feed.stop()
        await super().shutdown(sockets)


class PageServer:
    """Serves page and API of the run in a folder; the run may be going on, or not have begun."""

    def __init__(
        self, folder: Path, port: int, host: str = "127.0.0.1", *, is_open: bool | None = None, node: str | None = None
    ) -> None:
        """Bind a socket. Raises StateError without a free port, or beyond this machine without a token.

        is_open: whether whoever sits at this machine may look without a token; None: as the folder says, which
        `transactive demo` made so. node: URL of the chain on which members decide, where it is another than noted.
        """
        if host not in LOOPBACK and not read_grants(folder):
            raise StateError(
                f"--host {host}: others could read this run; make a token first:"
                f" transactive token create --state {folder} --scope operator"
            )
        self._store = Store(folder)
        self._feed = ChangeFeed(Reader(self._store))
        try:
            self._socket = listen(host, port)
        except (InputError, StateError):
            self._store.close()
            raise
        self.port: int = self._socket.getsockname()[1]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"
        local = host in LOOPBACK
        entry = None if local and (is_open_here(folder) if is_open is None else is_open) else BrowserEntry()
        self.link = entry.link(self.url) if entry and local else self.url
        """What its user opens: with the code of an entry where one is needed."""
        app = build_app(folder, self._feed, local=local, entry=entry, port=self.port, node=node)
        config = uvicorn.Config(
            app, http=BoundedProtocol, ws="none", log_config=None, access_log=False, lifespan="on",
            timeout_graceful_shutdown=3, server_header=False,
        )  # fmt: skip
        for name in LOGS:
            logging.getLogger(name).addFilter(QUIET)
        self._server = _Server(config, self._feed)
        self._thread: threading.Thread | None = None

    @property
    def connections(self) -> int:
        """How many connections are open."""
        return len(self._server.server_state.connections)

    def run(self) -> None:
        """Serve until Ctrl-C."""
        with contextlib.suppress(KeyboardInterrupt):
            self._serve()

    def start(self) -> None:
        """Serve from a thread of its own; returns when the page answers."""
        self._thread = threading.Thread(target=self._serve, name="page", daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            self._thread.join(0.01)

    def wait(self) -> None:
        """Go on serving after `start` until Ctrl-C, then stop."""
        try:
            while self._thread is not None and self._thread.is_alive():
                self._thread.join(0.5)
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()

    def ask_to_stop(self) -> None:
        """Let `run` or `wait` return soon. May be called from any thread."""
        self._server.should_exit = True

    def stop(self) -> None:
        """End all answers, close the socket and the database."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join()
        self._close()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._close()

    def _close(self) -> None:
        self._socket.close()
        self._store.close()
