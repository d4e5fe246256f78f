"""A VTN of OpenADR 3.1 that somebody else runs: a token for a client's secret, and lists of objects page by page."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from transactive.core.errors import DataError, InputError
from transactive.links.http import HttpClient

PATIENCE_SECONDS = 30
PAGE, MOST_PAGES = 50, 200
"""Most objects of an answer, as OpenADR 3.1 says, and of pages that are asked for."""
MOST_BYTES = 8 * 1024 * 1024
HERE = ("127.0.0.1", "::1", "localhost")
FORM = "application/x-www-form-urlencoded"


class AuthServer(msgspec.Struct, frozen=True):
    """Where tokens are."""

    token_url: str = msgspec.field(name="tokenURL")


class GivenToken(msgspec.Struct, frozen=True):
    """What came for a secret."""

    access_token: str


class VtnLink:
    """A VTN, asked as one client. authority: file of certificates to trust, None for the system's."""

    def __init__(self, url: str, client: str, secret: str, authority: Path | None = None) -> None:
        """Trade the secret for a token. Raises InputError for an address without TLS, or one that gives no token."""
        self._url, self._authority = url.rstrip("/"), authority
        try:
            server = msgspec.json.decode(self._opened(self._url, "/auth/server", ""), type=AuthServer)
            said = {"grant_type": "client_credentials", "client_id": client, "client_secret": secret}
            given = self._opened(server.token_url, "", "", urlencode(said).encode())
            self._token = msgspec.json.decode(given, type=GivenToken).access_token
        except OSError as error:
            raise InputError(f"{url}: gives no token ({error}); are address, client and secret right?") from None
        except msgspec.MsgspecError as error:
            raise InputError(f"{url}: says no token ({error}); is it a VTN of OpenADR 3.1?") from None

    def listed(self, path: str, **asked: str) -> list[msgspec.Raw]:
        """All objects of a kind that are shown for a question, each as JSON. Raises InputError, DataError."""
        found: list[msgspec.Raw] = []
        for page in range(MOST_PAGES):
            query = urlencode({**asked, "skip": page * PAGE, "limit": PAGE})
            try:
                raw = self._opened(self._url, f"/{path}?{query}", self._token)
                part = msgspec.json.decode(raw, type=list[msgspec.Raw])
            except OSError as error:
                raise InputError(f"{self._url}/{path}: does not answer ({error})") from None
            except msgspec.MsgspecError as error:
                raise DataError(f"{self._url}/{path}: says no list ({error}); is it a VTN of OpenADR 3.1?") from None
            found += part
            if len(part) < PAGE:
                return found
        raise DataError(f"{self._url}/{path}: lists more than {MOST_PAGES * PAGE} objects; name a program or a target")

    def _opened(self, url: str, place: str, token: str, form: bytes | None = None) -> bytes:
        """What is said at a place below an address. Raises InputError, DataError for too much, OSError."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise InputError(f"{url.partition('?')[0]}: is no address ({error}); give one of https://") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
            raise InputError(f"{url.partition('?')[0]}: OpenADR 3.1 is spoken over TLS; give an address of https://")
        trusted = f"?ca={quote(str(self._authority))}" if self._authority else ""
        client = HttpClient(f"{parts.scheme}://{parts.netloc}{trusted}", token, PATIENCE_SECONDS)
        said = client.ask(f"{parts.path}{place}" or "/", MOST_BYTES, form, FORM)
        if len(said) > MOST_BYTES:
            raise DataError(f"{url}: says more than {MOST_BYTES:,} bytes; name a program or a target")
        return said
