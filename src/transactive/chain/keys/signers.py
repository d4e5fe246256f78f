"""Keys by what they are for, each opened only when it signs: nobody needs the keys of others to use the own one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from eth_account.signers.local import LocalAccount

from transactive.chain.keys.keys import ChainIdentity, DemoKeys
from transactive.chain.keys.keystore import KeyFolder
from transactive.chain.keys.roles import ROLES
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError


class Signers(Protocol):
    """Who can sign here."""

    def role(self, name: str) -> LocalAccount:
        """Key of one of `ROLES`. Raises InputError if it is not here."""

    def account(self, name: str) -> LocalAccount:
        """Key of a member or named party. Raises InputError if it is not here."""

    def named(self, name: str) -> LocalAccount:
        """Any key by its name. Raises InputError if it is not here."""

    def check(self, node: ChainIdentity) -> None:
        """Raise ChainError if these keys must not sign for the chain."""


class FolderSigners:
    """Keys in a folder of one's own, which may hold a single one."""

    def __init__(self, folder: KeyFolder, password: Callable[[], str]) -> None:
        """`password` is asked for once, when the first key is needed."""
        self._folder, self._ask = folder, password
        self._password: str | None = None

    def role(self, name: str) -> LocalAccount:
        """Key of a role."""
        return self.named(name)

    def account(self, name: str) -> LocalAccount:
        """Key of a member or named party."""
        return self.named(f"{'party' if name in NAMED else 'member'}-{name}")

    def named(self, name: str) -> LocalAccount:
        """Key of this name."""
        return self._folder.unlocked(name, self._once)

    def _once(self) -> str:
        """The password, which is asked for once."""
        if self._password is None:
            self._password = self._ask()
        return self._password

    def check(self, node: ChainIdentity) -> None:
        """Nothing to object: these keys are nobody else's."""


class DemoSigners:
    """Demo keys of a seed. accounts: names in the order of their places."""

    def __init__(self, seed: str, accounts: Sequence[str]) -> None:
        self._keys, self._accounts = DemoKeys(seed), tuple(accounts)

    def role(self, name: str) -> LocalAccount:
        """Key of a role."""
        return self._keys.role(name)

    def account(self, name: str) -> LocalAccount:
        """Key of a member or named party."""
        if name not in self._accounts:
            raise InputError(f"account {name!r} is not in the deployment; it has {', '.join(self._accounts)}")
        return self._keys.account(self._accounts.index(name))

    def named(self, name: str) -> LocalAccount:
        """Key of a role, of the account with this number, or of anybody by name."""
        if name in ROLES:
            return self._keys.role(name)
        return self._keys.account(int(name)) if name.isdigit() else self._keys.named(name)

    def check(self, node: ChainIdentity) -> None:
        """Raise ChainError unless the chain is embedded or for development."""
        self._keys.check(node)
