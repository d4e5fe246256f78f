"""Callbacks of others: an address that its owner answers for, told over TLS and not inside this network.

A host is looked up once before it is told; whoever changes that name in between reaches no further than one request
without an answer that anybody sees.
"""

from __future__ import annotations

import ipaddress
import secrets
import socket
from urllib.parse import quote, urlsplit

from transactive.core.errors import InputError
from transactive.links.http import HttpClient

PATIENCE_SECONDS = 10
MOST_BYTES = 4_096


class Callbacks:
    """Tells callbacks. authority: file of certificates to trust, empty for the system's; inside: here too."""

    def __init__(self, authority: str = "", *, inside: bool = False) -> None:
        self._authority, self._inside = authority, inside

    def check(self, url: str) -> None:
        """Require that who answers at an address says back what it is told. Raises InputError with the reason."""
        echo = secrets.token_urlsafe(24)
        try:
            client, place = self._opened(url)
            said = client.ask(f"{place}{'&' if '?' in place else '?'}echo={quote(echo)}", MOST_BYTES)
        except (OSError, ValueError) as error:
            raise InputError(f"callback {url[:200]}: does not answer ({error}); is the address right?") from None
        if said.decode(errors="replace").strip() != echo:
            raise InputError(f"callback {url[:200]}: does not say back what its query echo says")

    def tell(self, url: str, bearer: str, body: bytes) -> None:
        """Send JSON to an address. Raises OSError where it is not taken, InputError for a place of nobody."""
        client, place = self._opened(url, bearer)
        client.ask(place, MOST_BYTES, body)

    def _opened(self, url: str, bearer: str = "") -> tuple[HttpClient, str]:
        """A client for the host of an address, and the place there. Raises InputError; OSError for no host."""
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or "@" in parts.netloc:
            raise InputError(f"callback {url[:200]}: give an address of HTTPS, without a password")
        found = socket.getaddrinfo(parts.hostname, parts.port or 443, type=socket.SOCK_STREAM)
        if not self._inside and not all(ipaddress.ip_address(str(one[4][0])).is_global for one in found):
            raise InputError(f"callback {url[:200]}: is in this network, which nobody is told in")
        query = f"?ca={quote(self._authority)}" if self._authority else ""
        place = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        return HttpClient(f"https://{parts.netloc}{query}", bearer, PATIENCE_SECONDS), place
