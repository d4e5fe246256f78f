"""Whose keys sign what members do: a folder of keys, or the demo keys that the server can derive."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import SignatureError, StateError
from transactive.core.proofs.signing_place import SigningPlace
from transactive.engine.authorisations import read
from transactive.store import FILE, Store

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.keys.keys import Keys


@dataclass(frozen=True, slots=True)
class Signer:
    """Keys, and the contracts that they sign for."""

    keys: Keys
    known: Deployment

    def place(self, member: str) -> SigningPlace:
        """Where a member signs: its place in the settlement that has it, and that settlement's domain."""
        from transactive.core.proofs.signed_orders import domain

        part = self.known.part(member)
        return SigningPlace(part.index(member), domain(part.chain_id, part.address("settlement")))


def signer_of(folder: Path, keys: Keys | None = None) -> Signer:
    """Who signs for the members of a run: the given keys, or else those that follow from its seed.

    Raises StateError without a run, or where the keys of its members are not those of its seed.
    """
    from transactive.chain.keys.keys import DemoKeys

    known = deployment_of(folder)
    if keys is not None:
        return Signer(keys, known)
    with closing(Store(folder)) as store:
        seed = str(msgspec.json.decode(store.setting("run") or "{}").get("seed", "transactive"))
        given = read(store)
    held = Signer(DemoKeys(seed), known)
    try:
        for each in given[:1]:
            account = each.authorisation.account
            held.place(known.accounts[account]).check_authorised(each, str(held.keys.account(account).address))
    except SignatureError:
        raise StateError(
            f"{folder}: the keys of its members are not here, so this program cannot sign for them; sign with"
            " `transactive agent` and --keys"
        ) from None
    return held


def deployment_of(folder: Path) -> Deployment:
    """Contracts of a run. Raises StateError without one."""
    from transactive.chain.deployments import deployment

    if not (folder / FILE).exists():
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    if not (folder / deployment.FILE).exists():
        raise StateError(f"{folder}: its run has not begun; limits from its start stand in the community file")
    return deployment.load(folder / deployment.FILE)
