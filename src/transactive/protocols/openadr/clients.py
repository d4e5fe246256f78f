"""Who may speak to the VTN of a state folder: clients with a secret, and the tokens that they trade it for.

A token names its client and its end and is signed with a key of the folder, so that it holds over a restart; whoever is
taken off the list is out with the next request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Literal, TypeAlias

import filelock
import msgspec

from transactive.core.errors import InputError, UnreadableState
from transactive.protocols.openadr.problems import Refused
from transactive.store.folder import OWNER_FILE, make_private, write_private

FILE, LOCK = "openadr-clients.json", "openadr-clients.lock"
Role: TypeAlias = Literal["ven", "bl"]
HOLDS_SECONDS = 3_600
SCOPES: dict[Role, str] = {
    "ven": "read_targets read_ven_objects write_reports write_subscriptions write_vens",
    "bl": "read_all write_programs write_events write_subscriptions write_vens",
}
"""Scopes of OpenADR 3.1 by role."""


class VtnClient(msgspec.Struct, frozen=True):
    """Who may come. sha256: of its secret. member: whose home a VEN is, empty for others."""

    id: str
    role: Role
    sha256: str
    name: str = ""
    member: str = ""


class ClientBook(msgspec.Struct, frozen=True):
    """All clients, and the key that signs their tokens, as hex."""

    key: str
    clients: tuple[VtnClient, ...] = ()


COMMUNITY = VtnClient("", "bl", "", "the community itself")
"""Who made what the community tells: nobody else changes that."""


class Doorkeeper:
    """Clients of a folder, read again whenever their file has changed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._seen = -1
        self._book = ClientBook("")

    @property
    def book(self) -> ClientBook:
        """The clients as they are now. Raises UnreadableState."""
        try:
            changed = self._path.stat().st_mtime_ns
            if changed != self._seen:
                self._book, self._seen = read_book(self._path.parent), changed
        except FileNotFoundError:
            self._book, self._seen = ClientBook(""), -1
        return self._book

    def token(self, name: str, secret: str, now: int) -> tuple[str, VtnClient] | None:
        """A token for a client that knows its secret, and the client; None for anybody else. now: [Unix s]."""
        given, found = _hash(secret), None
        for client in self.book.clients:
            if hmac.compare_digest(client.sha256, given) and hmac.compare_digest(client.id.encode(), name.encode()):
                found = client
        if found is None:
            return None
        said = f"{found.id}.{now + HOLDS_SECONDS}"
        return f"{_text(said.encode())}.{_text(self._signature(said))}", found

    def client(self, token: str, now: int) -> VtnClient:
        """Whose token this is. Raises Refused for one that is false, over, or of a client that is gone."""
        said, _, signature = token.partition(".")
        try:
            text, signed = _bytes(said).decode(), _bytes(signature)
        except (ValueError, binascii.Error):
            text, signed = "", b""
        name, _, end = text.rpartition(".")
        known = {client.id: client for client in self.book.clients}
        is_ours = hmac.compare_digest(signed, self._signature(text)) and _text(signed) == signature
        if not is_ours or name not in known:
            raise Refused(HTTPStatus.UNAUTHORIZED, "this token is not known here; ask /auth/token for one")
        if int(end) <= now:
            raise Refused(HTTPStatus.UNAUTHORIZED, "this token is over; ask /auth/token for a new one")
        return known[name]

    def _signature(self, said: str) -> bytes:
        """What the folder's key says of a text."""
        return hmac.digest(bytes.fromhex(self.book.key), said.encode(), "sha256")


def read_book(folder: Path) -> ClientBook:
    """Clients of a folder; none without a file. Raises UnreadableState."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=ClientBook)
    except FileNotFoundError:
        return ClientBook("")
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; delete it, and let clients in anew with openadr client") from None


def add_client(
    folder: Path, role: Role, member: str, name: str, first: Callable[[VtnClient], None] = lambda _: None
) -> tuple[VtnClient, str]:
    """Let a client in; returns it with its secret, which is shown this once and kept nowhere.

    first: what has to be there before it; where that fails, or a kill comes in between, nobody was let in.
    """
    made, secret = secrets.token_hex(8), f"oadr_{secrets.token_urlsafe(32)}"
    client = VtnClient(f"{role}-{made}", role, _hash(secret), name, member)
    make_private(folder)
    with filelock.FileLock(folder / LOCK, mode=OWNER_FILE):
        book = read_book(folder)
        first(client)
        key = book.key or secrets.token_hex(32)
        _write(folder, ClientBook(key, (*book.clients, client)))
    return client, secret


def remove_client(folder: Path, name: str) -> VtnClient:
    """Let a client in no more. Raises InputError for one that is not there."""
    with filelock.FileLock(folder / LOCK, mode=OWNER_FILE):
        book = read_book(folder)
        gone = next((client for client in book.clients if client.id == name), None)
        if gone is None:
            known = ", ".join(client.id for client in book.clients) or "none"
            raise InputError(f"{name}: no client of this folder; known: {known}")
        _write(folder, ClientBook(book.key, tuple(client for client in book.clients if client is not gone)))
    return gone


def _write(folder: Path, book: ClientBook) -> None:
    """Replace the file of clients."""
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(book)) + b"\n")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
