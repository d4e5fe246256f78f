"""Who may speak to the registry of a state folder: tokens of accounts, the issuing body and registries."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http import HTTPStatus
from pathlib import Path
from typing import Literal, TypeAlias

import filelock
import msgspec

from transactive.core.errors import InputError, UnreadableState
from transactive.protocols.energytag.problems import RegistryRefusal
from transactive.store.folder import OWNER_FILE, make_private, write_private

FILE, LOCK = "energytag-clients.json", "energytag-clients.lock"
RegistryRole: TypeAlias = Literal["holder", "issuer", "registry"]
SCOPES: dict[RegistryRole, frozenset[str]] = {
    "holder": frozenset({"query", "transfer", "cancel", "claim", "reserve"}),
    "issuer": frozenset({"query", "create", "withdraw"}),
    "registry": frozenset({"hand-over"}),
}


class RegistryClient(msgspec.Struct, frozen=True):
    """Who may come. sha256: of its token. account: a holder's; of a registry its name; empty for the issuing body."""

    id: str
    role: RegistryRole
    account: str
    sha256: str


class RegistryClients(msgspec.Struct, frozen=True):
    """All of them."""

    clients: tuple[RegistryClient, ...] = ()


def read_clients(folder: Path) -> tuple[RegistryClient, ...]:
    """Clients of a folder. Raises UnreadableState."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=RegistryClients).clients
    except FileNotFoundError:
        return ()
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; delete it, and let clients in anew") from None


def add_client(folder: Path, role: RegistryRole, account: str) -> tuple[RegistryClient, str]:
    """Let a client in; returns it with its token, which is shown this once and kept nowhere."""
    token = f"gcr_{secrets.token_urlsafe(32)}"
    client = RegistryClient(f"{role}-{secrets.token_hex(8)}", role, account, _hash(token))
    make_private(folder)
    with filelock.FileLock(folder / LOCK, mode=OWNER_FILE):
        _write(folder, (*read_clients(folder), client))
    return client, token


def remove_client(folder: Path, name: str) -> None:
    """Let a client in no more. Raises InputError for one that is not there."""
    with filelock.FileLock(folder / LOCK, mode=OWNER_FILE):
        known = read_clients(folder)
        left = tuple(client for client in known if client.id != name)
        if left == known:
            raise InputError(f"{name}: no client of this folder; known: {', '.join(c.id for c in known) or 'none'}")
        _write(folder, left)


def client_of(folder: Path, header: str, scope: str) -> RegistryClient:
    """Whose token a request brings, if it may do what it asks. Raises RegistryRefusal."""
    scheme, _, shown = header.partition(" ")
    given = _hash(shown.strip()) if scheme.lower() == "bearer" else ""
    found = None
    for client in read_clients(folder):
        if hmac.compare_digest(client.sha256, given):
            found = client
    if found is None:
        raise RegistryRefusal(
            HTTPStatus.UNAUTHORIZED,
            "send a token that is known here: Authorization: Bearer …",
            "unauthorised",
            "header",
        )
    if scope not in SCOPES[found.role]:
        may = ", ".join(sorted(SCOPES[found.role]))
        raise RegistryRefusal(HTTPStatus.FORBIDDEN, f"this token may {may}, not {scope}", "forbidden", "header")
    return found


def _write(folder: Path, clients: tuple[RegistryClient, ...]) -> None:
    write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(RegistryClients(clients))) + b"\n")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
