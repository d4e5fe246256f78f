"""Keys of the parties on chain. Demo keys follow from a public seed and are refused by every chain of value."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Protocol

from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from hexbytes import HexBytes

from transactive.chain.keys.roles import ROLES
from transactive.core.errors import ChainError

CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
DEVELOPMENT_CHAINS = (1337, 31337)


class ChainIdentity(Protocol):
    """What a key needs to know about the chain that it would sign for."""

    @property
    def is_embedded(self) -> bool:
        """Whether the chain is a file of this program."""

    @property
    def chain_id(self) -> int:
        """EIP-155 number."""


class Keys(Protocol):
    """Where signing keys come from."""

    def role(self, name: str) -> LocalAccount:
        """Key of one of `ROLES`."""

    def account(self, index: int) -> LocalAccount:
        """Key of the market account `index`."""

    def agent(self, index: int) -> LocalAccount | None:
        """Key that the agent of account `index` signs with; None where the account's own does."""

    def addresses(self, accounts: int) -> list[str]:
        """Addresses of all roles and of accounts 0 to accounts − 1: who needs gas."""

    def check(self, node: ChainIdentity) -> None:
        """Raise ChainError if these keys must not sign for the chain."""


class DemoKeys:
    """Keys that anybody can derive from a seed: for replays, demos and tests."""

    def __init__(self, seed: str = "transactive") -> None:
        self._seed = seed
        self._derived: dict[str, LocalAccount] = {}

    def role(self, name: str) -> LocalAccount:
        """Key of a role."""
        return self._derive(f"role {name}")

    def account(self, index: int) -> LocalAccount:
        """Key of the market account `index`."""
        return self._derive(f"account {index}")

    def named(self, name: str) -> LocalAccount:
        """Key of somebody who is neither a role nor an account of the market: an auditor, a seller outside."""
        return self._derive(f"named {name}")

    def agent(self, index: int) -> LocalAccount | None:
        """Key of that account's agent."""
        return self._derive(f"agent {index}")

    def addresses(self, accounts: int) -> list[str]:
        """Addresses of all roles and of accounts 0 to accounts − 1: who needs gas on a new chain."""
        roles = [self.role(name) for name in ROLES]
        return [str(key.address) for key in (*roles, *(self.account(i) for i in range(accounts)))]

    def check(self, node: ChainIdentity) -> None:
        """Raise ChainError unless the chain is embedded or for development."""
        refuse_unless_development(node)

    def _derive(self, name: str) -> LocalAccount:
        if name not in self._derived:
            self._derived[name] = Account.from_key(derive(self._seed, name))
        return self._derived[name]


class HeldElsewhere(LocalAccount):
    """An account whose key somebody else has: its address is known, and nothing is signed for it here."""

    def __init__(self, address: str) -> None:
        self._address = to_checksum_address(address)

    @property
    def key(self) -> HexBytes:
        """There is none. Raises ChainError."""
        raise ChainError(f"the key of {self._address} is with its member alone; what needs it is signed there")


class MembersOwnKeys:
    """Keys of the parties, but for accounts whose members keep theirs. addresses: of those, by index."""

    def __init__(self, keys: Keys, elsewhere: Mapping[int, str]) -> None:
        self._keys = keys
        self._elsewhere = {index: HeldElsewhere(address) for index, address in elsewhere.items()}

    def role(self, name: str) -> LocalAccount:
        """Key of a role."""
        return self._keys.role(name)

    def account(self, index: int) -> LocalAccount:
        """Key of the market account `index`, or its address alone."""
        return self._elsewhere.get(index) or self._keys.account(index)

    def agent(self, index: int) -> LocalAccount | None:
        """Key of that account's agent; None where the member's box has it."""
        return None if index in self._elsewhere else self._keys.agent(index)

    def addresses(self, accounts: int) -> list[str]:
        """Addresses of all roles and of accounts 0 to accounts − 1."""
        roles = [self.role(name) for name in ROLES]
        return [str(key.address) for key in (*roles, *(self.account(i) for i in range(accounts)))]

    def check(self, node: ChainIdentity) -> None:
        """Raise ChainError if these keys must not sign for the chain."""
        self._keys.check(node)


def derive(seed: str, name: str) -> bytes:
    """Private key of a name: SHA-256 of seed, name and a counter, the first that is a valid secp256k1 scalar."""
    base = b"transactive demo" + sha256(seed.encode()).digest() + sha256(name.encode()).digest()
    counter = 0
    while True:
        key = sha256(base + counter.to_bytes(4, "big")).digest()
        if 0 < int.from_bytes(key, "big") < CURVE_ORDER:
            return key
        counter += 1


def refuse_unless_development(node: ChainIdentity) -> None:
    """Raise ChainError unless the chain is embedded or a development chain: anybody can derive demo keys."""
    if node.is_embedded or node.chain_id in DEVELOPMENT_CHAINS:
        return
    allowed = " or ".join(map(str, DEVELOPMENT_CHAINS))
    raise ChainError(
        f"chain {node.chain_id} is not a development chain and demo keys are public; "
        f"use embedded:PATH or a node with chain id {allowed}"
    )
