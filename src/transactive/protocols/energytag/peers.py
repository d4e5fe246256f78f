"""Other registries that bundles of this one go to: their address, and the token that they gave us."""

from __future__ import annotations

from pathlib import Path

import filelock
import msgspec

from transactive.core.errors import InputError, UnreadableState
from transactive.links.registry import RegistryLink
from transactive.store.folder import OWNER_FILE, make_private, write_private

FILE, LOCK = "energytag-peers.json", "energytag-peers.lock"


class PeerRegistry(msgspec.Struct, frozen=True, kw_only=True):
    """A registry. ca: file of certificates to trust, empty for the system's."""

    name: str
    url: str
    token: str
    ca: str = ""

    def link(self) -> RegistryLink:
        """A line to it."""
        return RegistryLink(self.url, self.token, Path(self.ca) if self.ca else None)


def read_peers(folder: Path) -> dict[str, PeerRegistry]:
    """Peers of a folder by name. Raises UnreadableState."""
    path = folder / FILE
    try:
        peers = msgspec.json.decode(path.read_bytes(), type=tuple[PeerRegistry, ...])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise UnreadableState(f"{path}: {error}; delete it, and name the registries anew") from None
    return {peer.name: peer for peer in peers}


def add_peer(folder: Path, url: str, token: str, ca: Path | None, *, moved: bool) -> PeerRegistry:
    """Ask a registry for its name and keep it, in place of one of that name at this address, with `moved` at any.

    A registry says itself what it is called: one that took another's name would get what is handed over to that one.
    Raises InputError, DataError.
    """
    if not token:
        raise InputError("the token that the registry gave is empty; it lets us in with `certificates registry client`")
    trusted = "" if ca is None else str(ca.resolve())
    peer = PeerRegistry(name=RegistryLink(url, token, ca).name(), url=url, token=token, ca=trusted)
    make_private(folder)
    with filelock.FileLock(folder / LOCK, mode=OWNER_FILE):
        known = read_peers(folder)
        before = known.get(peer.name)
        if before is not None and before.url != url and not moved:
            raise InputError(
                f"{url}: calls itself {peer.name}, which is at {before.url}; ask its operator, and give --moved if"
                " it is the same"
            )
        known[peer.name] = peer
        write_private(folder / FILE, msgspec.json.format(msgspec.json.encode(list(known.values()))) + b"\n")
    return peer
