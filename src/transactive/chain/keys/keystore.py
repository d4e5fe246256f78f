"""Keys of one's own: a folder of encrypted files in the format of Ethereum's clients (web3 secret storage, version 3).

A file holds one key, encrypted under a password with scrypt and AES; it is written whole, for its owner's eyes only,
and never replaced. Lost passwords cannot be recovered. Keys of a community have a folder each, with a password of its
own beside it, so that each can be handed to whoever must hold it, and to nobody else.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from transactive.chain.keys.keys import ChainIdentity
from transactive.chain.keys.roles import ROLES, roles_of
from transactive.core.accounts import NAMED
from transactive.core.errors import InputError, StateError

STRONG, LIGHT = 2**18, 2**12
"""Cost of scrypt: 256 MB and about a second for each key, or 4 MB for tests and small machines."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")
OWNERS_ONLY, OWNERS_FOLDER = 0o600, 0o700
PASSWORD_FILE = "password.txt"  # noqa: S105 - the name of a file
RANDOM_BYTES = 18
"""Of a password that is made: nobody guesses 144 bits."""
HOLDERS = {
    "owner": "the members' association: names arbiter, gateway and operator; kept offline, by none of these",
    "operator": "who runs the market and answers for it with the stake",
    "arbiter": "somebody whom the members trust and who is not the operator: pauses and vetoes",
    "on-ramp": "who takes and pays out the members' money, as a bank or treasurer",
    "gateway": "who reads the meters, and is not the operator",
    "party": "this party itself, or who acts for it; not the arbiter",
    "member": "this member alone",
}
"""Who must hold the key of a role, of a named account, of a member."""


class KeyFolder:
    """Keystores by name: NAME.json each."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, name: str, password: str, cost: int = STRONG) -> str:
        """Make a new key and return its address. Raises InputError for a bad name, password or a key that is there."""
        self._check(name, password)
        return self._create(name, password, cost)

    def create_apart(self, name: str, cost: int = STRONG) -> str:
        """Make a new key in a folder of its own, with a new password in a file beside it; returns its address.

        Raises InputError for a bad name or a key that is there.
        """
        password = secrets.token_urlsafe(RANDOM_BYTES)
        self._check(name, password)
        apart = KeyFolder(self.path / name)
        apart._write(PASSWORD_FILE, f"{password}\n".encode())
        return apart._create(name, password, cost)

    def password(self, name: str) -> str | None:
        """Password that lies beside a key; None if it was taken away, or there never was one."""
        file = self._file(name).with_name(PASSWORD_FILE)
        return file.read_text(encoding="utf-8").strip() if file.is_file() else None

    def _check(self, name: str, password: str) -> None:
        """Raise InputError for a bad name, a password that is none, or a key that is there."""
        if not NAME.fullmatch(name):
            raise InputError(
                f"key name {name!r}: use letters, digits, '.', '_' and '-', beginning with one of the first"
            )
        if not password:
            raise InputError("the password of a key is empty; give one")
        if (file := self._file(name)).exists():
            raise InputError(f"{file} is there already; a key is never replaced: choose another name")

    def _create(self, name: str, password: str, cost: int) -> str:
        key = Account.create()
        stored = Account.encrypt(key.key, password, kdf="scrypt", iterations=cost)
        self._write(f"{name}.json", json.dumps(stored).encode())
        return str(key.address)

    def _file(self, name: str) -> Path:
        """Where a key is, or would be: in a folder of its own if there is one."""
        apart = self.path / name
        return (apart if apart.is_dir() else self.path) / f"{name}.json"

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
            os.link(partial, self.path / name)  # unlike a rename, it never replaces a key
        except FileExistsError as error:
            raise InputError(f"{self.path / name} is there already; a key is never replaced") from error
        except OSError as error:
            raise StateError(f"{self.path}: {error.strerror}; give a folder that can be written") from error
        finally:
            partial.unlink(missing_ok=True)

    def addresses(self) -> dict[str, str]:
        """Address of each key by name, in the order of names."""
        if not self.path.is_dir():
            raise InputError(f"{self.path}: is no folder of keys; `transactive keys new --keys {self.path}` makes one")
        found = {path.stem for path in self.path.glob("*.json")}
        found |= {path.stem for path in self.path.glob("*/*.json") if path.stem == path.parent.name}
        return {name: self.address(name) for name in sorted(found)}

    def address(self, name: str) -> str:
        """Address of a key; needs no password."""
        return to_checksum_address("0x" + str(self.stored(name)["address"]).removeprefix("0x"))

    def stored(self, name: str) -> dict[str, Any]:
        """Encrypted file of a key. Raises InputError if it is not there or not one."""
        path = self._file(name)
        try:
            stored = json.loads(path.read_bytes())
        except OSError as error:
            raise InputError(f"key {name}: {path} cannot be read ({error.strerror})") from None
        except ValueError:
            stored = None
        if not isinstance(stored, dict) or not {"address", "crypto", "version"} <= set(stored):
            raise InputError(f"key {name}: {path} is no keystore of version 3")
        return stored

    def unlocked(self, name: str, ask: Callable[[], str]) -> LocalAccount:
        """Key that signs, with the password beside it or, without one, the one that `ask` gives."""
        self.stored(name)  # a key that is not here is told before a password is asked for
        return self.unlock(name, self.password(name) or ask())

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

    def _once(self) -> str:
        """The password, which is asked for once."""
        if self._password is None:
            self._password = self._ask()
        return self._password

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
            self._unlocked[name] = self._folder.unlocked(name, self._once)
        return self._unlocked[name]


def holder_of(name: str) -> str:
    """Who must hold a key of a community."""
    return HOLDERS[name if name in HOLDERS else name.partition("-")[0]]


def account_keys(members: Sequence[str]) -> list[str]:
    """Names of the keys of a community's accounts, in their order."""
    return [*(f"member-{member}" for member in members), *(f"party-{party}" for party in NAMED)]


def all_keys(members: Sequence[str], groups: int = 0) -> list[str]:
    """Names of all keys of a community. groups: of members that have a settlement of their own."""
    return [*roles_of(groups), *account_keys(members)]
