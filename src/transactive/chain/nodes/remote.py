"""Providers for nodes that run elsewhere, by URL, and the patience that each of them is asked with."""

from __future__ import annotations

import json
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from web3.exceptions import Web3Exception
from web3.providers.base import BaseProvider, JSONBaseProvider
from web3.providers.rpc import HTTPProvider
from web3.types import RPCEndpoint, RPCResponse
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from transactive.chain.nodes.urls import shown
from transactive.core.errors import ChainError, NodeUnreachable

LARGEST_ANSWER = 1 << 26
FIRST_POLL_SECONDS = 0.02
ASKED_ONCE = ("eth_sendRawTransaction", "evm_mine")
"""Requests that change something: whether to repeat one is decided where it is known what became of it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a node is borne with.

    answer_seconds: for one answer. tries, first_pause_seconds: how often one request is tried, and the pause before the
    second try, which doubles with each. final_seconds: for a transaction to be mined, and for a chain to reach a time;
    longest_poll_seconds: between two looks at that.
    """

    answer_seconds: float = 20
    tries: int = 4
    first_pause_seconds: float = 0.2
    final_seconds: float = 180
    longest_poll_seconds: float = 2

    def pauses(self) -> Iterator[float]:
        """Pause after each failed try but the last [s]."""
        return (self.first_pause_seconds * 2**i for i in range(self.tries - 1))

    def looks(self) -> Iterator[None]:
        """Look again and again, with growing pauses, until patience ends."""
        now, pause = time.monotonic(), FIRST_POLL_SECONDS
        deadline = now + self.final_seconds
        while now < deadline:
            yield
            time.sleep(min(pause, self.longest_poll_seconds))
            now, pause = time.monotonic(), 2 * pause


class ConnectionProvider(JSONBaseProvider, ABC):
    """One request at a time over a connection that is kept; one that failed is opened anew by the next request."""

    def __init__(self, place: str, timeout: float) -> None:
        super().__init__()
        self._place, self._timeout = place, timeout
        self._opened = ExitStack()
        self._connection: Any = None

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - as the method says
        """Ask, and wait for the answer with the same id: others were not asked for."""
        request = self.encode_rpc_request(method, params)
        wanted = json.loads(request)["id"]
        try:
            if self._connection is None:
                self._connection = self._opened.enter_context(self._open())
            self._send(request)
            while True:
                answer = self.decode_rpc_response(self._receive())
                if not isinstance(answer, dict) or answer.get("id") == wanted:
                    return answer
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def _open(self) -> AbstractContextManager[Any]:
        """Open the connection."""

    @abstractmethod
    def _send(self, request: bytes) -> None:
        """Send a request."""

    @abstractmethod
    def _receive(self) -> bytes:
        """Take the next answer."""

    def close(self) -> None:
        """Close the connection."""
        self._connection = None
        self._opened.close()


class WebSocketProvider(ConnectionProvider):
    """Over a WebSocket; web3.py itself has this only for asyncio."""

    def _open(self) -> AbstractContextManager[Any]:
        return connect(self._place, open_timeout=self._timeout, max_size=LARGEST_ANSWER)

    def _send(self, request: bytes) -> None:
        self._connection.send(request.decode())

    def _receive(self) -> bytes:
        return str(self._connection.recv(timeout=self._timeout)).encode()


class IpcProvider(ConnectionProvider):
    """Over a Unix socket; web3.py's own waits in vain, at full load, when the node closes it."""

    def _open(self) -> AbstractContextManager[Any]:
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(self._timeout)
        try:
            opened.connect(self._place)
        except BaseException:
            opened.close()
            raise
        return opened

    def _send(self, request: bytes) -> None:
        self._connection.sendall(request + b"\n")

    def _receive(self) -> bytes:
        received = bytearray()
        while part := self._connection.recv(1 << 16):
            received += part
            if len(received) > LARGEST_ANSWER:
                raise OSError("the answer has no end")
            if received.rstrip().endswith(b"}") and _is_whole(received):
                return bytes(received)
        raise OSError("the node closed the connection")


def _is_whole(text: bytearray) -> bool:
    """Whether a text is one JSON value: nodes end an answer with a line break, or with nothing."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


class HttpProvider(HTTPProvider):
    """web3.py's HTTP provider with a session that can be closed, and without its own retries."""

    def __init__(self, url: str, timeout: float) -> None:
        self._session = requests.Session()
        super().__init__(
            url,
            session=self._session,
            request_kwargs={"timeout": timeout},
            exception_retry_configuration=None,
        )

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


class PatientProvider(BaseProvider):
    """Asks another provider, again after a pause if no usable answer came, and in the end says what was the matter.

    Raises NodeUnreachable from `make_request`, for `ASKED_ONCE` after the first try.
    """

    def __init__(self, inner: BaseProvider, url: str, patience: Patience) -> None:
        super().__init__()
        self._inner, self._shown, self.patience = inner, shown(url), patience

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - as the method says
        """Answer of the node: a result or the node's own error."""
        for pause in () if method in ASKED_ONCE else self.patience.pauses():
            try:
                return self._try(method, params)
            except NodeUnreachable:
                time.sleep(pause)
        return self._try(method, params)

    def _try(self, method: RPCEndpoint, params: Any) -> RPCResponse:  # noqa: ANN401 - as the method says
        try:
            answer: Any = self._inner.make_request(method, params)
        except (OSError, ValueError, WebSocketException, Web3Exception) as error:
            raise self._unreachable(method, self._reason(error)) from error
        if not isinstance(answer, dict) or not ("result" in answer or answer.get("error")):
            raise self._unreachable(method, "the answer is no JSON-RPC")
        whole: RPCResponse = answer  # type: ignore[assignment]  # checked as far as anybody needs it
        return whole

    def _reason(self, error: Exception) -> str:
        """What was the matter, without the URL, which libraries put into their messages."""
        if isinstance(error, TimeoutError | requests.Timeout):
            return f"no answer within {self.patience.answer_seconds:g} s"
        if isinstance(error, requests.HTTPError) and error.response is not None:
            return f"HTTP status {error.response.status_code}"
        if isinstance(error, ValueError):  # also those of requests, which are OSErrors
            return "the answer is no JSON"
        if isinstance(error, requests.RequestException):
            return "the connection failed"
        return str(error) or type(error).__name__

    def _unreachable(self, method: str, what: str) -> NodeUnreachable:
        return NodeUnreachable(
            f"the node at {self._shown} does not answer {method}: {what}; check its URL, that it runs"
        )

    def close(self) -> None:
        """Close the connection, if the other keeps one."""
        close = getattr(self._inner, "close", None)
        if close is not None:
            close()


def provider_for(url: str, patience: Patience) -> PatientProvider:
    """Provider of an `http(s)://`, `ws(s)://` or `ipc:PATH` URL. Raises ChainError for any other."""
    return PatientProvider(_provider(url, patience.answer_seconds), url, patience)


def _provider(url: str, timeout: float) -> BaseProvider:
    if url.startswith(("http://", "https://")):
        return HttpProvider(url, timeout)
    if url.startswith(("ws://", "wss://")):
        return WebSocketProvider(url, timeout)
    if url.startswith("ipc:"):
        path = url.removeprefix("ipc:")
        if not Path(path).exists():
            raise ChainError(f"no node listens at {path}; check that it runs and its path")
        return IpcProvider(path, timeout)
    raise ChainError(f"chain {url!r} is not a URL that is known; use embedded:PATH, http(s)://, ws(s):// or ipc:PATH")
