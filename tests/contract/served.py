"""An embedded chain as a node elsewhere: behind HTTP, a WebSocket or a Unix socket."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterable
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from websockets.sync.server import serve

from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.keys.keys import DemoKeys

HOUR, START = 3600, 17_000 * 24 * 3600
KEYS = DemoKeys("remote")


class Node:
    """What a node would answer.

    plain: leaves the revert reason out of receipts, as most nodes do. ticking: makes blocks of its own.
    """

    def __init__(
        self, chain_id: int = 31337, *, plain=False, ticking=False, funded: Iterable[str] = KEYS.addresses(2)
    ) -> None:
        alloc = dict.fromkeys(funded, 10**24)
        self.chain = EmbeddedChain(
            ":memory:", chain_id=chain_id, alloc=alloc, clock=lambda: 0, genesis_time=START - 2 * HOUR
        )
        self.provider = EmbeddedProvider(self.chain)
        self.plain, self.ticking = plain, ticking

    def answer(self, text: bytes | str) -> bytes:
        request = json.loads(text)
        if self.ticking and request["method"] in ("eth_getBlockByNumber", "eth_getTransactionCount"):
            self.chain.mine(self.chain.head.timestamp + 900)
        answer = dict(self.provider.make_request(request["method"], request["params"])) | {"id": request["id"]}
        result = answer.get("result")
        if self.plain and isinstance(result, dict):
            result.pop("revertReason", None)
        return json.dumps(answer).encode()


@contextmanager
def running(server, *options):
    thread = threading.Thread(target=server.serve_forever, args=options, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def http(node: Node):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 1 << 16

        def do_POST(self):
            body = node.answer(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments):
            pass

    ThreadingHTTPServer.block_on_close = False
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, running(server, 0.01):
        yield f"http://127.0.0.1:{server.server_address[1]}"


@contextmanager
def websocket(node: Node):
    def handler(connection):
        for message in connection:
            connection.send('{"jsonrpc":"2.0","method":"eth_subscription","params":{}}')  # nothing we asked for
            connection.send(node.answer(message).decode())

    with serve(handler, "127.0.0.1", 0) as server, running(server):
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"


@contextmanager
def ipc(node: Node, path: str):
    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            while data := self.request.recv(1 << 16):
                while not _whole(data):
                    data += self.request.recv(1 << 16)
                self.request.sendall(node.answer(data) + b"\n")

    socketserver.ThreadingUnixStreamServer.block_on_close = False
    with socketserver.ThreadingUnixStreamServer(path, Handler) as server, running(server, 0.01):
        yield f"ipc:{path}"


def _whole(data: bytes) -> bool:
    try:
        json.loads(data)
    except json.JSONDecodeError:
        return False
    return True
