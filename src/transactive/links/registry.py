"""Another registry of certificates, asked over HTTP: its name, and its word on what is handed over to it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from transactive.carbon.certificates.handover import BundleOffer, BundleRecall, WordSaid
from transactive.core.errors import DataError, InputError
from transactive.links.http import HttpClient

PATIENCE_SECONDS = 30
MOST_BYTES = 64 * 1024
HERE = ("127.0.0.1", "::1", "localhost")
T = TypeVar("T")


class RegistryName(msgspec.Struct, frozen=True):
    """What names a registry."""

    registry: str


class RegistryLink:
    """A registry. token: what it gave us; authority: file of certificates to trust, None for the system's."""

    def __init__(self, url: str, token: str, authority: Path | None = None) -> None:
        """Raises InputError for an address without TLS that is not on this machine."""
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise InputError(f"{url}: is no address ({error}); give one of https://") from None
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in HERE):
            raise InputError(f"{url}: registries speak over TLS; give an address of https://")
        trusted = f"?ca={quote(str(authority))}" if authority else ""
        self._url, self._place = url.rstrip("/"), parts.path.rstrip("/")
        self._client = HttpClient(f"{parts.scheme}://{parts.netloc}{trusted}", token, PATIENCE_SECONDS)

    def name(self) -> str:
        """How it names itself. Raises InputError, DataError."""
        return self._asked("/registry", None, RegistryName).registry

    def offer(self, offer: BundleOffer) -> WordSaid:
        """Its word on a bundle. Raises InputError, DataError where it says none: then ask again."""
        return self._asked("/hand-overs", msgspec.json.encode(offer), WordSaid)

    def recall(self, recall: BundleRecall) -> WordSaid:
        """Its word on a bundle that is wanted back. Raises as `offer` does."""
        return self._asked("/hand-overs/recall", msgspec.json.encode(recall), WordSaid)

    def _asked(self, place: str, said: bytes | None, kind: type[T]) -> T:
        try:
            return msgspec.json.decode(self._client.ask(f"{self._place}{place}", MOST_BYTES, said), type=kind)
        except OSError as error:
            raise InputError(f"{self._url}{place}: says nothing ({error}); it is asked again, or ask later") from None
        except msgspec.MsgspecError as error:
            raise DataError(f"{self._url}{place}: says no word ({error}); is it a registry of this program?") from None
