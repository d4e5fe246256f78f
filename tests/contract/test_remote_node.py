"""The same client against a node elsewhere: HTTP, WebSocket and IPC, with an embedded chain as the node."""

from __future__ import annotations

import json
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from websockets.sync.server import serve

from transactive.chain.client import ChainClient
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.keys import DemoKeys
from transactive.chain.ledger import ChainLedger
from transactive.chain.remote import Patience
from transactive.core.errors import ChainError, ContractRevert
from transactive.core.merkle import MONEY

KEYS = DemoKeys("remote")
HOUR, START = 3600, 17_000 * 24 * 3600
HASTY = Patience(answer_seconds=0.3, first_pause_seconds=0.001, final_seconds=3, longest_poll_seconds=0)
SUMS = [MONEY.pack((5, 0, 7, 0)), MONEY.pack((0, 5, 0, 7))]


class Node:
    """What a node would answer.

    plain: leaves the revert reason out of receipts, as most nodes do. ticking: makes blocks of its own.
    """

    def __init__(self, chain_id=31337, *, plain=False, ticking=False) -> None:
        alloc = dict.fromkeys(KEYS.addresses(2), 10**24)
        self.chain = EmbeddedChain(
            ":memory:", chain_id=chain_id, alloc=alloc, clock=lambda: 0, genesis_time=START - 2 * HOUR
        )
        self.provider = EmbeddedProvider(self.chain)
        self.plain, self.ticking = plain, ticking

    def answer(self, text: bytes | str) -> bytes:
        request = json.loads(text)
        if self.ticking and request["method"] == "eth_getBlockByNumber":
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


class OwnKeys(DemoKeys):
    """Keys as a real operator would hold them: for every chain."""

    def check(self, node):
        pass


def run_a_period(client: ChainClient, keys: DemoKeys = KEYS) -> None:
    ledger = ChainLedger.deploy(
        client,
        keys,
        accounts=2,
        slot_seconds=HOUR,
        slots_per_period=24,
        window=9000,
        timestamp=START - HOUR,
        currency_name="x",
        currency_symbol="x",
    )
    ledger.deposit([1000, 1000], START)
    ledger.commit_slot(START // HOUR, SUMS)
    ledger.block(START + HOUR)
    ledger.propose(START // HOUR // 24, [-5, 5])
    ledger.block(START + 24 * HOUR)
    ledger.finalise()
    with pytest.raises(ContractRevert) as caught:
        ledger.block(START + 24 * HOUR + 1)
    assert str(caught.value) == "settlement: window open"
    ledger.finalise()
    ledger.block(ledger.ready_at or 0)
    assert ledger.balances_n() == [995, 1005]
    assert ledger.nettings == 1


@pytest.mark.parametrize("way", ["http", "websocket", "ipc"])
def test_a_period_on_a_node(way, tmp_path):
    node = Node()
    server = {"http": http, "websocket": websocket, "ipc": lambda n: ipc(n, str(tmp_path / "n.ipc"))}[way](node)
    with server as url:
        client = ChainClient.open(url, alloc=KEYS.addresses(2))
        assert not client.is_embedded
        run_a_period(client)
        client.close()
    node.chain.close()


@pytest.mark.parametrize("plain", [False, True])
def test_a_mined_failure_has_the_contracts_reason(plain):
    node = Node(plain=plain)
    with http(node) as url:
        client = ChainClient.open(url)
        owner = KEYS.role("owner")
        token = client.deploy(owner, "currency", "x", "x", 100)
        client.block(START)
        client.send(owner, token, "mint", owner.address, 5)
        with pytest.raises(ContractRevert) as caught:
            client.block(START + 1)
        assert str(caught.value) == "currency: not a minter"
        client.close()
    node.chain.close()


def test_a_period_on_a_chain_of_value():
    """Gas is estimated, calls that need earlier ones wait for them, and the chain's own time is waited for."""
    node = Node(chain_id=56, ticking=True)
    with http(node) as url:
        client = ChainClient.open(url, patience=HASTY)
        run_a_period(client, OwnKeys("remote"))
        client.close()
    limits = [
        node.chain.decode(raw).gas for n, _, _ in node.chain.index.blocks() for _, raw in node.chain.index.in_block(n)
    ]
    assert len(limits) == 17
    assert max(limits) < 6_000_000
    node.chain.close()


def test_a_chain_that_stays_behind_is_named():
    node = Node(chain_id=56)
    with http(node) as url:
        client = ChainClient.open(url, patience=Patience(final_seconds=0.1))
        with pytest.raises(ChainError, match="has not reached"):
            client.block(START)
        client.close()
    node.chain.close()


def test_demo_keys_are_refused_by_other_chains():
    node = Node(chain_id=56)
    with http(node) as url:
        client = ChainClient.open(url, alloc=KEYS.addresses(2))
        with pytest.raises(ChainError, match="chain 56 is not a development chain and demo keys are public"):
            run_a_period(client)
        assert client.height == 0
        client.close()
    node.chain.close()


def test_accounts_without_ether_are_named():
    node = Node()
    with http(node) as url, pytest.raises(ChainError, match="has no ether on http"):
        ChainClient.open(url, alloc=DemoKeys("poor").addresses(1))
    node.chain.close()


def test_a_node_that_does_not_answer_is_named():
    for url in ("http://127.0.0.1:9", "ws://127.0.0.1:9"):
        with pytest.raises(ChainError, match="does not answer eth_chainId"):
            ChainClient.open(url, patience=HASTY)
    with pytest.raises(ChainError, match="no node listens at /nowhere"):
        ChainClient.open("ipc:/nowhere")
    with pytest.raises(ChainError, match="is not a URL that is known"):
        ChainClient.open("ftp://x")
