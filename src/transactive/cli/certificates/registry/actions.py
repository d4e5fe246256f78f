"""What the commands of `transactive certificates registry` do, and what they find as facts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from transactive.carbon.certificates.issued import SUPPLIER
from transactive.core.errors import InputError
from transactive.protocols.energytag.clients import RegistryRole, add_client, read_clients, remove_client
from transactive.protocols.energytag.delivering import Delivered, deliver, recall
from transactive.protocols.energytag.peers import add_peer, read_peers
from transactive.protocols.energytag.server import RegistryPlace, RegistryServer
from transactive.services.certificates import AT, certificate_service
from transactive.services.handovers import HandOvers


def serve_registry(folder: Path, place: RegistryPlace) -> None:
    """Serve until Ctrl-C. Raises StateError without a run, InputError without TLS beyond this machine."""
    server = RegistryServer(folder, place)
    print(f"Registry {server.name} at {server.url}, Ctrl-C ends it", file=sys.stderr, flush=True)
    server.run()


def let_in(folder: Path, account: str, registry: str, *, issuer: bool) -> dict[str, Any]:
    """Let a client in. Raises InputError for none of the three, or more than one, StateError without a run."""
    if sum((bool(account), bool(registry), issuer)) != 1:
        raise InputError("a client is for one: --account MEMBER, --registry NAME or --issuer")
    with certificate_service(folder) as service:
        known = (*service.community.ids, SUPPLIER)
    if account and account not in known:
        raise InputError(f"--account {account}: not in this registry; its accounts are {', '.join(known)}")
    role: RegistryRole = "issuer" if issuer else "holder" if account else "registry"
    made, token = add_client(folder, role, account or registry)
    return {"user_id": made.id, "token": token, "role": role, "account": made.account or None}


def listed_clients(folder: Path) -> dict[str, Any]:
    """Who may come in, by id."""
    with certificate_service(folder) as service:
        name = service.name
    clients = {one.id: {"role": one.role, "account": one.account or None} for one in read_clients(folder)}
    return {"registry": name, "clients": clients, "peers": {one.name: one.url for one in read_peers(folder).values()}}


def shut_out(folder: Path, name: str) -> None:
    """Let a client in no more. Raises InputError."""
    remove_client(folder, name)
    print(f"{name}: revoked", file=sys.stderr)


def name_peer(folder: Path, url: str, token_file: Path, ca: Path | None, *, moved: bool) -> dict[str, Any]:
    """Keep a registry as one that bundles may go to. Raises InputError, DataError."""
    with certificate_service(folder):
        pass  # a folder without a run is told first
    try:
        token = token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"--token-file {token_file}: cannot be read ({error})") from None
    peer = add_peer(folder, url, token, ca, moved=moved)
    return {"registry": peer.name, "url": peer.url}


def give(folder: Path, serials: Sequence[str], to: str, account: str, by: str | None) -> dict[str, Any]:
    """Put bundles in transit, and tell their receiver. Raises InputError, CertificateError for the first refused."""
    if not serials:
        raise InputError("name the serials of the bundles; `certificates list` shows them")
    if to not in (peers := read_peers(folder)):
        raise InputError(f"--to {to}: no peer of this registry; known: {', '.join(peers) or 'none'}")
    book = HandOvers(folder)
    given = {book.give(serial, to, account, by=by) for serial in serials}
    return _facts([one for one in deliver(folder) if one.number in given])


def delivered(folder: Path) -> dict[str, Any]:
    """Ask for words on all that is in transit."""
    return _facts(deliver(folder))


def called_back(folder: Path, number: str) -> dict[str, Any]:
    """Ask for one bundle back."""
    return _facts([recall(folder, number)])


def in_transit(folder: Path) -> dict[str, Any]:
    """What waits for a word, by number."""
    return {
        each.offer.number: {"serial": each.serial, "to": f"{each.offer.bundle.to}{AT}{each.receiver}"}
        for each in HandOvers(folder).waiting()
    }


def _facts(found: Sequence[Delivered]) -> dict[str, Any]:
    return {
        one.number: {"serial": one.serial, "word": one.word and str(one.word), "reason": one.reason or None}
        for one in found
    }
