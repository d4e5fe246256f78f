"""Whose keys sign what members do: a folder of keys, or the demo keys that the server can derive."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from transactive.core.errors import SignatureError, StateError
from transactive.engine.authorisations import read
from transactive.store import Store, holds_state

if TYPE_CHECKING:
    from transactive.chain.deployments.deployment import Deployment
    from transactive.chain.keys.keys import Keys
    from transactive.core.proofs.members.authorisation import Authorised
    from transactive.core.proofs.signed_orders import SigningPlace


@dataclass(frozen=True, slots=True)
class Signer:
    """Keys, and the deployment that they sign for. elsewhere: accounts whose keys their members have alone."""

    keys: Keys
    known: Deployment
    elsewhere: frozenset[int] = frozenset()

    def signing_place(self, account: int) -> SigningPlace:
        """Where an account signs, here or elsewhere: in the settlement that has it."""
        from transactive.core.proofs.signed_orders import SigningPlace, domain

        name = self.known.accounts[account]
        part = self.known.part(name)
        return SigningPlace(part.index(name), domain(part.chain_id, part.address("settlement")))

    def place_here(self, account: int) -> SigningPlace:
        """The same of an account that is signed for here. Raises StateError where its key is not."""
        if account in self.elsewhere:
            raise StateError(
                f"{self.known.accounts[account]} keeps the key of its account, so nobody signs for it here; its box has"
                " its limits, and `transactive node pause` there pauses it"
            )
        return self.signing_place(account)


def signer_of(folder: Path, keys: Keys | None = None) -> Signer:
    """Who signs for the members of a run: the given keys, or else those that follow from its seed.

    Raises StateError without a run, or where the keys of its members are not those of its seed.
    """
    from transactive.chain.keys.keys import DemoKeys
    from transactive.core.proofs.members.authorisation import check

    known = deployment_of(folder)
    if keys is not None:
        return Signer(keys, known)
    with closing(Store(folder)) as store:
        seed = str(msgspec.json.decode(store.setting("run") or "{}").get("seed", "transactive"))
        given = read(store)
    held = DemoKeys(seed)
    signed = [each for each in given if each.signature]
    signer = Signer(held, known, _elsewhere(given))
    try:
        for each in signed[:1]:
            account = each.authorisation.account
            check(each, str(held.account(account).address), signer.signing_place(account))
    except SignatureError:
        raise StateError(
            f"{folder}: the keys of its members are not here, so this program cannot sign for them; sign with"
            " `transactive agent` and --keys"
        ) from None
    return signer


def keeps_own_key(folder: Path, given: Sequence[Authorised], account: int) -> bool:
    """Whether a member alone has the key of its account: its run is on a chain, and signed nothing for it."""
    from transactive.chain.deployments import deployment

    return (folder / deployment.FILE).exists() and account in _elsewhere(given)


def _elsewhere(given: Sequence[Authorised]) -> frozenset[int]:
    """Accounts for which a run on a chain signed nothing."""
    signed = {each.authorisation.account for each in given if each.signature}
    return frozenset({each.authorisation.account for each in given} - signed)


def deployment_of(folder: Path) -> Deployment:
    """Contracts of a run. Raises StateError without one."""
    from transactive.chain.deployments import deployment

    if not holds_state(folder):
        raise StateError(f"{folder}: holds no run; give the --state folder of `run` or `demo`")
    if not (folder / deployment.FILE).exists():
        raise StateError(f"{folder}: its run has not begun; limits from its start stand in the community file")
    return deployment.load(folder / deployment.FILE)
