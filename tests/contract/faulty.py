"""A proxy in front of a node that does to chosen requests what networks and overloaded nodes do."""

from __future__ import annotations

import json
import select
import socket
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.waiting import LIMIT_SECONDS

Fault = str | dict[str, Any] | None
BEFORE, AFTER = "cut", "swallow"
FAULTS = (BEFORE, AFTER, "late", "garbage", "list", "empty", "half", "busy")
"""Cut before the node hears of it; swallow its answer; answer when nobody waits for it, with HTML, a list, {}, half an
answer or 503."""


class Proxy:
    """Real sockets on both sides. `plan` says what happens to the next requests of a method; asked counts them all."""

    def __init__(self, node_url: str) -> None:
        self.node = node_url
        self.asked: dict[str, int] = defaultdict(int)
        self.always: dict[str, str] = {}
        self.hooks: dict[str, Callable[[], None]] = {}
        self._plan: dict[str, deque[Fault]] = defaultdict(deque)
        self.url = ""
        self.token = ""
        """A contract behind it that tests share."""

    def plan(self, method: str, *faults: Fault) -> None:
        """Faults, or answers in place of the node's, or neither, for the next requests of a method, one each."""
        self._plan[method].extend(faults)

    def repair(self) -> None:
        """No faults any more."""
        self.always.clear()
        self.hooks.clear()
        self._plan.clear()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        request = json.loads(body)
        method = request["method"]
        self.asked[method] += 1
        if method in self.hooks:
            self.hooks.pop(method)()
        fault = self._plan[method].popleft() if self._plan[method] else self.always.get(method)
        if fault == BEFORE:
            return _hang_up(handler)
        if isinstance(fault, dict):
            return _answer(handler, json.dumps({"jsonrpc": "2.0", "id": request["id"]} | fault).encode())
        if fault in ("garbage", "list", "empty", "busy"):
            text = {"garbage": b"<html>", "list": b"[]", "empty": b"{}", "busy": b"try later"}[fault]
            return _answer(handler, text, 503 if fault == "busy" else 200)
        answer = self._forward(body)
        if fault == AFTER:
            return _hang_up(handler)
        if fault == "half":
            _answer(handler, answer[: len(answer) // 2], length=len(answer))
            return _hang_up(handler)
        if fault == "late":
            _until_given_up(handler.connection)
        return _answer(handler, answer)

    def _forward(self, body: bytes) -> bytes:
        where = urlsplit(self.node)
        connection = HTTPConnection(where.hostname or "", where.port, timeout=LIMIT_SECONDS)
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/json"})
            return connection.getresponse().read()
        finally:
            connection.close()


def _answer(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200, length: int | None = None) -> None:
    try:
        handler.send_response(status)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(body) if length is None else length))
        handler.end_headers()
        handler.wfile.write(body)
        handler.wfile.flush()
    except OSError:
        handler.close_connection = True  # it has given up waiting


def _until_given_up(asker: socket.socket) -> None:
    """Wait until whoever asked has closed the connection."""
    ready, _, _ = select.select([asker], [], [], LIMIT_SECONDS)
    assert ready, "nobody gives up waiting for an answer"
    assert asker.recv(1, socket.MSG_PEEK) == b""


def _hang_up(handler: BaseHTTPRequestHandler) -> None:
    handler.close_connection = True


@contextmanager
def proxy(node_url: str) -> Iterator[Proxy]:
    """Proxy before a node."""
    made = Proxy(node_url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            made.handle(self)

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        made.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield made
        finally:
            server.shutdown()
            thread.join()
