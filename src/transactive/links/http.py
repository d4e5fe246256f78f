"""Asks over HTTP: one address, with a password or a token where it wants one; nothing is followed elsewhere."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.request
from urllib.parse import parse_qs, unquote

from transactive.core.errors import InputError
from transactive.links.addresses import web_parts

PATIENCE_SECONDS = 5


class HttpClient:
    """What answers at http(s)://[USER:PASSWORD@]HOST[:PORT][?ca=FILE]."""

    def __init__(self, url: str, token: str = "", patience: float = PATIENCE_SECONDS) -> None:
        """patience: until an answer has to be whole [s]. Raises InputError for another address."""
        parts = web_parts(url)
        host = parts.netloc.rpartition("@")[2]
        self._base, self._token, self._patience = f"{parts.scheme}://{host}", token, patience
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        if parts.username:
            names = unquote(parts.username), unquote(parts.password or "")
            passwords.add_password(None, self._base, *names, is_authenticated=True)
        self._opener = urllib.request.build_opener(
            _NoRedirect(),
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=_context(parse_qs(parts.query).get("ca", [None])[0])),
            urllib.request.HTTPBasicAuthHandler(passwords),
        )

    def ask(self, place: str, most: int, said: bytes | None = None) -> bytes:
        """What stands at a path, a little more than `most` bytes at most. Raises OSError.

        said: JSON that is sent there, if something is.
        """
        request = urllib.request.Request(self._base + place, said)  # noqa: S310 - the scheme was checked when it was opened
        if said is not None:
            request.add_header("Content-Type", "application/json")
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=self._patience) as answer:
                return self._read(answer, most)
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"{place}: {error}") from None

    def _read(self, answer: http.client.HTTPResponse, most: int) -> bytes:
        """Contents of an answer. Raises OSError where it drips on and on."""
        said, until = b"", time.monotonic() + self._patience
        while len(said) <= most and (part := answer.read1(most + 1 - len(said))):
            said += part
            if time.monotonic() > until:
                raise OSError(f"the answer is not whole after {self._patience} s")
        return said


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
