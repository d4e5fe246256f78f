"""Whose keys sign what members do: a folder of keys, or the demo keys that the server can derive."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import SignatureError, StateError
from transactive.engine.authorisations import read
from transactive.store import FILE, Store

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.keys.keys import Keys


@dataclass(frozen=True, slots=True)
class Signer:
    """Keys, and the settlement contract's domain that they sign for."""

    keys: Keys
    separator: bytes


def signer_of(folder: Path, keys: Keys | None = None) -> Signer:
    """Who signs for the members of a run: the given keys, or else those that follow from its seed.

    Raises StateError without a run, or where the keys of its members are not those of its seed.
    """
    from transactive.chain.keys.keys import DemoKeys
    from transactive.core.proofs.authorisation import check
    from transactive.core.proofs.signed_orders import domain

    known = deployment_of(folder)
    separator = domain(known.chain_id, known.address("settlement"))
    if keys is not None:
        return Signer(keys, separator)
    with closing(Store(folder)) as store:
        seed = str(msgspec.json.decode(store.setting("run") or "{}").get("seed", "transactive"))
        given = read(store)
    held = DemoKeys(seed)
    try:
        for each in given[:1]:
            check(each, str(held.account(each.authorisation.account).address), separator)
    except SignatureError:
        raise StateError(
            f"{folder}: the keys of its members are not here, so this program cannot sign for them; sign with"
            " `transactive agent` and --keys"
        ) from None
    return Signer(held, separator)


def deployment_of(folder: Path) -> Deployment:
    """Contracts of a run. Raises StateError without one."""
    from transactive.chain.deployments import deployment

    if not (folder / FILE).exists():
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    if not (folder / deployment.FILE).exists():
        raise StateError(f"{folder}: its run has not begun; limits from its start stand in the community file")
    return deployment.load(folder / deployment.FILE)
