"""What a settlement contract says to somebody who has nothing but a node: for verifying a statement."""

from __future__ import annotations

from collections.abc import Iterable

from eth_utils.address import to_checksum_address

from transactive.chain.commitments import Commitment, head_of
from transactive.chain.deployments.deployment import is_ours
from transactive.chain.nodes.client import ChainClient
from transactive.chain.releases import states_substituted


class ContractWitness:
    """Answers of the settlement contract at an address. Raises ChainError if there is none."""

    def __init__(self, client: ChainClient, address: str) -> None:
        self._client, self._settlement = client, client.contract("settlement", address)
        self.is_ours = is_ours("settlement", client.code(address))

    @property
    def chain_id(self) -> int:
        """EIP-155 number of the chain."""
        return self._client.chain_id

    def operator(self) -> str:
        """Address of the operator, lower case."""
        return str(self._client.read(self._settlement, "operator")).lower()

    def account(self, index: int) -> str:
        """Address of an account by its index, lower case."""
        return str(self._client.read(self._settlement, "accountOf", index)).lower()

    def head(self, period: int) -> bytes:
        """Hash chain over the commitments of a period, zero without any."""
        return bytes(self._client.read(self._settlement, "heads", period))

    def settled_period(self) -> int:
        """Newest period whose netting was paid."""
        return int(self._client.read(self._settlement, "settledPeriod"))

    def was_gateway(self, account: str, time: int) -> bool:
        """Whether an address was the gateway at a time [Unix s]."""
        judge = self._client.contract("disputes", str(self._client.read(self._settlement, "disputes")))
        return bool(self._client.read(judge, "wasGateway", to_checksum_address(account), time))

    def whole(self, address: str) -> ContractWitness:
        """The same of the settlement of all groups, at an address."""
        return ContractWitness(self._client, address)

    def is_joined(self, whole: str, link_place: int, group_place: int) -> bool:
        """Whether the account at a place here is the one at a place of the whole (address), and joins just the two."""
        there = self._client.contract("settlement", whole)
        address = self._client.read(self._settlement, "accountOf", link_place)
        if not is_ours("group_link", self._client.code(address)):
            return False
        link = self._client.contract("group_link", address)
        ends = [self._client.read(link, side) for side in ("group", "whole")]
        same = self._client.read(there, "accountOf", group_place) == address
        return same and ends == [self._settlement.address, there.address]

    def states_substituted(self) -> bool:
        """Whether commitments state what of a period nobody has metered."""
        return states_substituted(self._client.code(self._settlement.address))

    @staticmethod
    def head_of(links: Iterable[tuple[int, bytes, bytes, int, int]]) -> bytes:
        """Head that the contract has after these commitments: slot, root, certificates, money and energy of each."""
        return head_of(Commitment.of(*link) for link in links)
