"""Asks over HTTP: one address, with a password or a token where it wants one; nothing is followed elsewhere."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any
from urllib.parse import parse_qs, unquote

from transactive.core.errors import InputError
from transactive.links.addresses import web_parts

PATIENCE_SECONDS = 5


class HttpClient:
    """What answers at http(s)://[USER:PASSWORD@]HOST[:PORT][?ca=FILE]."""

    def __init__(self, url: str, token: str = "", patience: float = PATIENCE_SECONDS, token_header: str = "") -> None:
        """patience: until an answer has to be whole [s]. token_header: what the token is sent in, if not as a bearer.

        Raises InputError for another address.
        """
        parts = web_parts(url)
        host = parts.netloc.rpartition("@")[2]
        self._base, self._token, self._patience = f"{parts.scheme}://{host}", token, patience
        self._token_header = token_header
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        if parts.username:
            names = unquote(parts.username), unquote(parts.password or "")
            passwords.add_password(None, self._base, *names, is_authenticated=True)
        self._line = HeldLine()
        self._opener = urllib.request.build_opener(
            _NoRedirect(),
            urllib.request.ProxyHandler({}),
            _Handler(self._line),
            _SecureHandler(self._line, _context(parse_qs(parts.query).get("ca", [None])[0])),
            urllib.request.HTTPBasicAuthHandler(passwords),
        )

    def ask(self, place: str, most: int, said: bytes | None = None, kind: str = "application/json") -> bytes:
        """What stands at a path, a little more than `most` bytes at most. Raises OSError.

        said: what is sent there, if something is; kind: its media type.
        """
        request = urllib.request.Request(self._base + place, said)  # noqa: S310 - the scheme was checked when it was opened
        if said is not None:
            request.add_header("Content-Type", kind)
        if self._token:
            header = self._token_header
            request.add_header(header or "Authorization", self._token if header else f"Bearer {self._token}")
        with self._line.held(self._patience):
            try:
                with self._opener.open(request, timeout=self._patience) as answer:
                    answered: bytes = answer.read(most + 1)
            except (http.client.HTTPException, ValueError) as error:
                raise OSError(f"{place}: {error}") from None
        return answered


class HeldLine:
    """The connection of one question, which is cut when the answer is not whole in time, however it drips."""

    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._is_cut = False

    def hold(self, connected: socket.socket) -> None:
        """Take hold of a connection; TLS goes on over the same one."""
        self._socket = connected.dup()

    @contextmanager
    def held(self, patience: float) -> Iterator[None]:
        """Cut what is connected after a time [s]. Raises OSError if that was done."""
        self._is_cut = False
        over = threading.Timer(patience, self._cut)
        over.daemon = True
        over.start()
        try:
            yield
        except OSError:
            if not self._is_cut:
                raise
        finally:
            over.cancel()
            over.join()
            if self._socket:
                self._socket.close()
                self._socket = None
        if self._is_cut:
            raise OSError(f"the answer is not whole after {patience} s")

    def _cut(self) -> None:
        """End it, whatever is still under way."""
        self._is_cut = True
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class _Connection(http.client.HTTPConnection):
    """A connection that a line holds. tls: what it goes on in, if it is encrypted."""

    def __init__(self, *place: Any, line: HeldLine, tls: ssl.SSLContext | None = None, **options: Any) -> None:  # noqa: ANN401 - as urllib calls it
        super().__init__(*place, **options)
        self._line, self._tls = line, tls

    def connect(self) -> None:
        """Connect, and be held before anything is said."""
        super().connect()
        self._line.hold(self.sock)
        if self._tls:
            self.sock = self._tls.wrap_socket(self.sock, server_hostname=self.host)


class _SecureConnection(_Connection):
    """The same at the port of TLS."""

    default_port = http.client.HTTPS_PORT


class _Handler(urllib.request.HTTPHandler):
    """Opens connections that a line holds."""

    def __init__(self, line: HeldLine) -> None:
        super().__init__()
        self._line = line

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask."""
        return self.do_open(partial(_Connection, line=self._line), req)


class _SecureHandler(urllib.request.HTTPSHandler):
    """The same over TLS."""

    def __init__(self, line: HeldLine, tls: ssl.SSLContext) -> None:
        super().__init__(context=tls)
        self._line, self._tls = line, tls

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        """Ask."""
        return self.do_open(partial(_SecureConnection, line=self._line, tls=self._tls), req)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """What sends elsewhere is not what the address named, and gets no token to hand on."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""


def _context(authority: str | None) -> ssl.SSLContext:
    """TLS that checks who answers. Raises InputError for a file that is no certificate."""
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise InputError(f"TLS of the device: {error}; check the file after ?ca=") from None
