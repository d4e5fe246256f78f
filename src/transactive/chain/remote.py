"""Providers for nodes that run elsewhere, by URL."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import requests
from web3.providers.base import BaseProvider, JSONBaseProvider
from web3.providers.ipc import IPCProvider
from web3.providers.rpc import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse
from websockets.sync.client import ClientConnection, connect

from transactive.core.errors import ChainError

TIMEOUT_SECONDS = 30
LARGEST_ANSWER = 1 << 26


class WebSocketProvider(JSONBaseProvider):
    """One request at a time over a WebSocket; web3.py itself has this only for asyncio."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._opened = ExitStack()
        self._socket: ClientConnection | None = None

    def make_request(self, method: RPCEndpoint, params: Sequence[Any]) -> RPCResponse:
        """Ask, and wait for the answer with the same id."""
        if self._socket is None:
            connection = connect(self._url, open_timeout=TIMEOUT_SECONDS, max_size=LARGEST_ANSWER)
            self._socket = self._opened.enter_context(connection)
        request = self.encode_rpc_request(method, params)
        self._socket.send(request.decode())
        wanted = json.loads(request)["id"]
        while True:
            answer = self.decode_rpc_response(str(self._socket.recv(timeout=TIMEOUT_SECONDS)).encode())
            if answer.get("id") == wanted:
                return answer

    def close(self) -> None:
        """Close the connection."""
        self._opened.close()
        self._socket = None


class HttpProvider(HTTPProvider):
    """web3.py's HTTP provider with a session that can be closed."""

    def __init__(self, url: str) -> None:
        self._session = requests.Session()
        super().__init__(url, session=self._session, request_kwargs={"timeout": TIMEOUT_SECONDS})

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class IpcProvider(IPCProvider):
    """web3.py's IPC provider, which keeps its socket, with a way to close it."""

    def close(self) -> None:
        """Close the socket."""
        kept: Any = self._socket
        if kept.sock:
            kept.sock.close()


def provider_for(url: str) -> BaseProvider:
    """Provider of an `http(s)://`, `ws(s)://` or `ipc:PATH` URL. Raises ChainError for any other."""
    if url.startswith(("http://", "https://")):
        return HttpProvider(url)
    if url.startswith(("ws://", "wss://")):
        return WebSocketProvider(url)
    if url.startswith("ipc:"):
        path = url.removeprefix("ipc:")
        if not Path(path).exists():
            raise ChainError(f"no node listens at {path}; check that it runs and its path")
        return IpcProvider(path)
    raise ChainError(f"chain {url!r} is not a URL that is known; use embedded:PATH, http(s)://, ws(s):// or ipc:PATH")
