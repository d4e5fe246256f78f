"""The parts of a community in groups on chain: keys as one settlement counts them, groups, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.keys.keys import ChainIdentity, Keys
from transactive.chain.keys.roles import gateway_role
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import NAMED
from transactive.core.errors import ChainError


@dataclass(frozen=True, slots=True)
class PartKeys:
    """Keys of some accounts of a community under the numbers that they have in one settlement.

    accounts: numbers in the community, by place. gateway: name of the key of its own meters, whose places count within
    the group.
    """

    keys: Keys
    accounts: Sequence[int]
    gateway: str = gateway_role(0)

    def role(self, name: str) -> LocalAccount:
        """Key of one of the roles."""
        return self.keys.role(self.gateway if name == gateway_role(0) else name)

    def account(self, index: int) -> LocalAccount:
        """Key of an account by its place."""
        return self.keys.account(self.accounts[index])

    def agent(self, index: int) -> LocalAccount | None:
        """Key of that account's agent."""
        return self.keys.agent(self.accounts[index])

    def addresses(self, accounts: int) -> list[str]:
        """Addresses of all who need gas."""
        return self.keys.addresses(accounts)

    def check(self, node: ChainIdentity) -> None:
        """Raise ChainError if these keys must not sign for the chain."""
        self.keys.check(node)


@dataclass(frozen=True, slots=True)
class MemberGroup:
    """A group on chain. members: its members' numbers in the community; link: the account of all others in it."""

    members: range
    ledger: ChainLedger
    link: Contract
    settlement: Contract

    @property
    def link_place(self) -> int:
        """Index of the link in the group's settlement."""
        return len(self.members)

    @classmethod
    def at(
        cls, client: ChainClient, keys: Keys, number: int, members: range, parts: tuple[str, Contract]
    ) -> MemberGroup:
        """A group by its number and members. parts: address of its settlement, and its link."""
        address, link = parts
        own = PartKeys(keys, members, gateway_role(number))
        ledger = ChainLedger.attach(client, own, address, blinding_of(address))
        return cls(members, ledger, link, ledger.contract)


def named_keys(keys: Keys, members: int) -> PartKeys:
    """Keys of the named accounts as the settlement of the whole counts them."""
    return PartKeys(keys, range(members, members + len(NAMED)))


def groups_at(client: ChainClient, keys: Keys, address: str, members: int) -> list[MemberGroup]:
    """Groups of the settlement of a whole at an address, read from the chain. Raises ChainError."""
    settlement, groups, first = client.contract("settlement", address), list[MemberGroup](), 0
    count = int(client.read(settlement, "memberCount")) - len(NAMED)
    for number in range(max(count, 0)):
        link = client.contract("group_link", client.read(settlement, "accountOf", len(NAMED) + number))
        there = client.contract("settlement", client.read(link, "group"))
        span = range(first, first + int(client.read(there, "memberCount")) - 1)
        groups.append(MemberGroup.at(client, keys, number, span, (there.address, link)))
        first = span.stop
    if first != members:
        raise ChainError(f"{address}: has groups with {first} members, not {members}; give its own deployment")
    return groups


def blinding_of(address: str) -> bytes:
    """What tells the blinding of a group's trees from that of others: its settlement's address."""
    return bytes.fromhex(address.removeprefix("0x"))
