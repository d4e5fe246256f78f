"""Keys of one's own: a folder of encrypted files in the format of Ethereum's clients (web3 secret storage, version 3).

A file holds one key, encrypted under a password with scrypt and AES; it is written whole, for its owner's eyes only,
and never replaced. Lost passwords cannot be recovered.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from transactive.chain.keys.keys import ROLES, ChainIdentity
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError, StateError

STRONG, LIGHT = 2**18, 2**12
"""Cost of scrypt: 256 MB and about a second for each key, or 4 MB for tests and small machines."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
OWNERS_ONLY, OWNERS_FOLDER = 0o600, 0o700


class KeyFolder:
    """Keystores by name: NAME.json each."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, name: str, password: str, cost: int = STRONG) -> str:
        """Make a new key and return its address. Raises InputError for a bad name, password or a key that is there."""
        if not NAME.fullmatch(name):
            raise InputError(
                f"key name {name!r}: use letters, digits, '.', '_' and '-', beginning with one of the first"
            )
        if not password:
            raise InputError("the password of a key is empty; give one")
        if (self.path / f"{name}.json").exists():
            raise InputError(f"{self.path / name}.json is there already; a key is never replaced: choose another name")
        key = Account.create()
        stored = Account.encrypt(key.key, password, kdf="scrypt", iterations=cost)
        self._write(name, json.dumps(stored).encode())
        return str(key.address)

    def _write(self, name: str, content: bytes) -> None:
        """Write a file that nobody else can read, and that appears whole or not at all."""
        partial = self.path / f".{name}.part"
        try:
            self.path.mkdir(mode=OWNERS_FOLDER, parents=True, exist_ok=True)
            partial.unlink(missing_ok=True)
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNERS_ONLY), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.link(partial, self.path / f"{name}.json")  # unlike a rename, it never replaces a key
        except FileExistsError as error:
            raise InputError(f"{self.path / name}.json is there already; a key is never replaced") from error
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}; give a folder that can be written") from error
        finally:
            partial.unlink(missing_ok=True)

    def addresses(self) -> dict[str, str]:
        """Address of each key by name, in the order of names."""
        if not self.path.is_dir():
            raise InputError(f"{self.path}: is no folder of keys; `transactive keys new --keys {self.path}` makes one")
        return {path.stem: self.address(path.stem) for path in sorted(self.path.glob("*.json"))}

    def address(self, name: str) -> str:
        """Address of a key; needs no password."""
        return to_checksum_address("0x" + str(self.stored(name)["address"]).removeprefix("0x"))

    def stored(self, name: str) -> dict[str, Any]:
        """Encrypted file of a key. Raises InputError if it is not there or not one."""
        path = self.path / f"{name}.json"
        try:
            stored = json.loads(path.read_bytes())
        except OSError as error:
            raise InputError(f"key {name}: {path} cannot be read ({error.strerror})") from None
        except ValueError:
            stored = None
        if not isinstance(stored, dict) or not {"address", "crypto", "version"} <= set(stored):
            raise InputError(f"key {name}: {path} is no keystore of version 3")
        return stored

    def unlock(self, name: str, password: str) -> LocalAccount:
        """Key that signs. Raises InputError for a wrong password."""
        stored = self.stored(name)
        try:
            key: LocalAccount = Account.from_key(Account.decrypt(stored, password))
        except (ValueError, TypeError, KeyError, NotImplementedError):
            raise InputError(f"key {name}: the password is wrong, or {name}.json was changed") from None
        if key.address != self.address(name):
            raise InputError(f"key {name}: {name}.json holds the key of another address; it was changed")
        return key


class OwnKeys:
    """Keys of a community in a folder: one for each role, member and named account."""

    def __init__(self, folder: KeyFolder, password: Callable[[], str], members: Sequence[str]) -> None:
        """`password` is asked for once, when the first key is needed."""
        self._folder, self._ask = folder, password
        self._accounts = account_keys(members)
        self._agents = {name for name in folder.addresses() if name.startswith("agent-")}
        self._password: str | None = None
        self._unlocked: dict[str, LocalAccount] = {}

    def role(self, name: str) -> LocalAccount:
        """Key of a role."""
        return self._unlock(name)

    def account(self, index: int) -> LocalAccount:
        """Key of the market account `index`."""
        return self._unlock(self._accounts[index])

    def agent(self, index: int) -> LocalAccount | None:
        """Key of that account's agent, `agent-` and the member's name, if the folder has it."""
        name = self._accounts[index].replace("member-", "agent-", 1)
        return self._unlock(name) if name in self._agents else None

    def addresses(self, accounts: int) -> list[str]:
        """Addresses of all roles and of accounts 0 to accounts − 1."""
        return [self._folder.address(name) for name in (*ROLES, *self._accounts[:accounts])]

    def check(self, node: ChainIdentity) -> None:
        """Nothing to object: these keys are nobody else's."""

    def _unlock(self, name: str) -> LocalAccount:
        if name not in self._unlocked:
            if self._password is None:
                self._password = self._ask()
            self._unlocked[name] = self._folder.unlock(name, self._password)
        return self._unlocked[name]


def account_keys(members: Sequence[str]) -> list[str]:
    """Names of the keys of a community's accounts, in their order."""
    return [*(f"member-{member}" for member in members), *(f"party-{party}" for party in NAMED)]


def all_keys(members: Sequence[str]) -> list[str]:
    """Names of all keys of a community."""
    return [*ROLES, *account_keys(members)]
