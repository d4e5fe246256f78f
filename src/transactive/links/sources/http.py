"""Devices that are asked over HTTP: what stands at each path of a profile, every so many seconds."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.request
from collections.abc import Generator
from urllib.parse import parse_qs, unquote

from transactive.core.errors import ConfigError, InputError
from transactive.links.addresses import web_parts
from transactive.links.sources.address import MeterAddress
from transactive.metering.decode.registers import MeterState
from transactive.metering.meters.json_values import MOST, decode_texts, pack_texts, places_of
from transactive.metering.meters.profile import HttpProfile

PATIENCE_SECONDS = 5


class HttpSource:
    """A device at http(s)://[USER:PASSWORD@]HOST[:PORT][?ca=FILE], read with its token where it wants one."""

    def __init__(self, address: MeterAddress) -> None:
        """Raises ConfigError for a profile of another kind or without its token, InputError for another address."""
        self._profile = address.profile_of(HttpProfile)
        self.traits = self._profile.traits
        parts = web_parts(address.url)
        if self._profile.token and not address.secret:
            raise ConfigError(f"{self._profile.title} wants a token; name the file that has it")
        host = parts.netloc.rpartition("@")[2]
        self._base, self._token = f"{parts.scheme}://{host}", address.secret
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

    def messages(self) -> Generator[bytes, None, None]:
        """What the device says, each time it is asked. Raises OSError where it does not answer."""
        while True:
            yield pack_texts({place: self._ask(place) for place in places_of(self._profile)})
            time.sleep(self._profile.every)

    def decode(self, raw: bytes) -> MeterState:
        """Registers of a message. Raises DataError."""
        return decode_texts(self._profile, raw)

    def _ask(self, place: str) -> str:
        """What stands at a path. Raises OSError."""
        request = urllib.request.Request(self._base + place)  # noqa: S310 - the scheme was checked when it was opened
        if self._token:
            request.add_header("Authorization", f"Bearer {self._token}")
        try:
            with self._opener.open(request, timeout=PATIENCE_SECONDS) as answer:
                said = _read(answer, time.monotonic() + PATIENCE_SECONDS)
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"{place}: {error}") from None
        return said.decode("utf-8", "replace")


def _read(answer: http.client.HTTPResponse, until: float) -> bytes:
    """Contents of an answer, a little more than a message may have at most. Raises OSError where it drips on and on."""
    said = b""
    while len(said) <= MOST and (part := answer.read1(MOST + 1 - len(said))):
        said += part
        if time.monotonic() > until:
            raise OSError(f"the answer is not whole after {PATIENCE_SECONDS} s")
    return said


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A device that sends elsewhere is not the one of the address, and gets no token to hand on."""

    def redirect_request(self, *_: object, **__: object) -> None:
        """Follow nothing."""


def _context(authority: str | None) -> ssl.SSLContext:
    """TLS that checks the device. Raises InputError for a file that is no certificate."""
    try:
        return ssl.create_default_context(cafile=authority)
    except OSError as error:
        raise InputError(f"TLS of the device: {error}; check the file after ?ca=") from None
