"""The chain of a community that one settlement has no room for: one for each group of members, and one for the whole.

A period goes through two windows. Groups commit each slot and net the period among themselves, their link included;
when all have paid, the whole commits what each owes the others, and nets that. A link needs money where its next
netting takes some: it is paid in as far as it is missing, and carried back when the whole has paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from eth_account.signers.local import LocalAccount
from web3.contract import Contract

from transactive.chain.history import Opening, opening
from transactive.chain.keys.keys import ChainIdentity, Keys
from transactive.chain.ledgers import money
from transactive.chain.ledgers.settlement import BlockReceipt, ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import NAMED
from transactive.core.errors import ChainError
from transactive.core.proofs.groups import MOST_MEMBERS, groups_of, leaves_of_group, leaves_of_whole
from transactive.core.proofs.leaves import SlotLeaves, SlotTree
from transactive.core.proofs.merkle import ZERO

FROM_GROUP, FROM_WHOLE = True, False


@dataclass(frozen=True, slots=True)
class PartKeys:
    """Keys of some accounts of a community under the numbers that they have in one settlement.

    accounts: numbers in the community, by place. gateway: key of its own meters, whose places count within the group.
    """

    keys: Keys
    accounts: Sequence[int]
    gateway: LocalAccount

    def role(self, name: str) -> LocalAccount:
        """Key of one of the roles."""
        return self.gateway if name == "gateway" else self.keys.role(name)

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

    @property
    def link_place(self) -> int:
        """Index of the link in the group's settlement."""
        return len(self.members)


class GroupedLedger:
    """Deposits, commitments and nettings of one community in groups. Accounts have their numbers in the community."""

    def __init__(self, client: ChainClient, keys: Keys, groups: Sequence[MemberGroup], whole: ChainLedger) -> None:
        self._client, self._keys, self.groups, self.whole = client, keys, tuple(groups), whole
        self._whole = client.contract("settlement", whole.address)
        self._settlements = [client.contract("settlement", group.ledger.address) for group in groups]

    @classmethod
    def deploy(
        cls,
        client: ChainClient,
        keys: Keys,
        gateways: Sequence[LocalAccount],
        *,
        members: int,
        timestamp: int,
        most: int = MOST_MEMBERS,
        **rules: Any,  # noqa: ANN401 - as `ChainLedger.deploy` takes them
    ) -> GroupedLedger:
        """Ledger on new contracts, with all members in groups of `most` at most, and the named accounts in the whole.

        gateways: one for each group, each with a key of its own, because a reading's place counts within its group.
        timestamp: of the first block [Unix s]. rules: as `ChainLedger.deploy` takes them. Raises ChainError.
        """
        spans = groups_of(members, most)
        if len({key.address for key in gateways}) != len(spans):
            raise ChainError(f"{len(spans)} groups need as many gateways, each with a key of its own; give them")
        accounts = range(members, members + len(NAMED))
        own = PartKeys(keys, accounts, keys.role("gateway"))
        community = str(keys.account(accounts[NAMED.index("community")]).address)
        rules |= {"beneficiary": community}
        whole = ChainLedger.deploy(
            client, own, accounts=len(NAMED), places=len(spans), of_groups=True, timestamp=timestamp, **rules
        )
        rules |= {"currency_address": whole.currency_address}
        groups = []
        for span, gateway in zip(spans, gateways, strict=True):
            part, time = PartKeys(keys, span, gateway), client.head_timestamp + 1
            made = ChainLedger.deploy(client, part, accounts=len(span), places=1, timestamp=time, **rules)
            ends = (made.address, whole.address, keys.role("on-ramp").address)
            link = client.deploy(keys.role("owner"), "group_link", *ends)
            for settlement in ends[:2]:
                of = client.contract("settlement", settlement)
                client.send(keys.role("operator"), of, "register", link.address)
            client.block(client.head_timestamp + 1)
            groups.append(_group(client, part, made.address, link))
        return cls(client, keys, groups, ChainLedger.attach(client, own, whole.address))

    @classmethod
    def attach(
        cls, client: ChainClient, keys: Keys, gateways: Sequence[LocalAccount], address: str, members: int
    ) -> GroupedLedger:
        """Ledger on the settlement of a whole at `address`, as an earlier run left it. Raises ChainError."""
        own = PartKeys(keys, range(members, members + len(NAMED)), keys.role("gateway"))
        whole = ChainLedger.attach(client, own, address)
        settlement, groups, first = client.contract("settlement", address), [], 0
        for place, gateway in enumerate(gateways, len(NAMED)):
            link = client.contract("group_link", client.read(settlement, "accountOf", place))
            there = client.contract("settlement", client.read(link, "group"))
            span = range(first, first + int(client.read(there, "memberCount")) - 1)
            groups.append(_group(client, PartKeys(keys, span, gateway), there.address, link))
            first = span.stop
        if first != members or whole.accounts != len(NAMED) + len(gateways):
            raise ChainError(f"{address}: has groups with {first} members, not {members}; give its own deployment")
        return cls(client, keys, groups, whole)

    @property
    def address(self) -> str:
        """Address of the settlement of the whole."""
        return self.whole.address

    def group_of(self, account: int) -> tuple[int, int]:
        """Number of a member's group and its place there. Raises ValueError for an account that is no member."""
        for number, group in enumerate(self.groups):
            if account in group.members:
                return number, group.members.index(account)
        raise ValueError(f"account {account} is no member")

    def deposit(self, amounts_n: Sequence[int], timestamp: int) -> BlockReceipt:
        """Create money [n¤] for each account with an amount above zero and deposit it, in a block at `timestamp`."""
        for group in self.groups:
            group.ledger.queue_deposits(amounts_n[group.members.start : group.members.stop])
        self.whole.queue_deposits(amounts_n[self.groups[-1].members.stop :])
        return self.block(timestamp)

    def commit_slot(self, leaves: SlotLeaves, certificates: Sequence[bytes] = ()) -> list[SlotTree]:
        """Queue the commitment of a slot in each group. certificates: root of each group's own, none without any."""
        roots = certificates or [ZERO] * len(self.groups)
        return [
            group.ledger.commit_slot(leaves_of_group(leaves, group.members), root)
            for group, root in zip(self.groups, roots, strict=True)
        ]

    def propose_in_groups(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period in each group, and what its link lacks for it. nets_n: of all accounts [n¤]."""
        for group in self.groups:
            own = [int(net) for net in nets_n[group.members.start : group.members.stop]]
            self._pay_in(group, self._settlements[self.groups.index(group)], sum(own))
            group.ledger.propose(period, [*own, -sum(own)])

    def pay_groups(self, period: int, leaves: SlotLeaves, nets_n: Sequence[int]) -> SlotTree:
        """Queue the payment of a period in each group, and commitment and netting of the whole. Its tree.

        leaves: of the period's last slot. The whole may follow groups only when they have paid: so these calls are put
        on chain in this order.
        """
        for group in self.groups:
            group.ledger.finalise(period)
        heads = [self.head(number, period) for number in range(len(self.groups))]
        tree = self.whole.commit_slot(leaves_of_whole(leaves, [group.members for group in self.groups], heads))
        self.propose_in_whole(period, nets_n)
        return tree

    def propose_in_whole(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period in the whole, and what links lack for it. nets_n: of all accounts [n¤]."""
        sums = self._sums_n(nets_n)
        for group, net in zip(self.groups, sums, strict=True):
            self._pay_in(group, self._whole, -net)
        self.whole.propose(period, [*(int(net) for net in nets_n[self.groups[-1].members.stop :]), *sums])

    def finalise(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the payment of a period in the whole, and the way back of what links were paid on either side."""
        self.whole.finalise(period)
        for group, net in zip(self.groups, self._sums_n(nets_n), strict=True):
            if net:
                self._shift(group, FROM_GROUP if net < 0 else FROM_WHOLE, abs(net))

    def block(self, timestamp: int) -> BlockReceipt:
        """Put all that is queued on chain, as `ChainLedger.block` does."""
        return self.whole.block(timestamp)

    def balances_n(self) -> list[int]:
        """Settled balance of every account [n¤], links not among them."""
        members = [balance for group in self.groups for balance in group.ledger.balances_n()[: len(group.members)]]
        return [*members, *self.whole.balances_n()[: len(NAMED)]]

    def links_n(self) -> list[tuple[int, int]]:
        """What each link has in its group and in the whole [n¤]."""
        whole = self.whole.balances_n()[len(NAMED) :]
        return [
            (group.ledger.balances_n()[group.link_place], there)
            for group, there in zip(self.groups, whole, strict=True)
        ]

    def opening(self, number: int | None, slot: int) -> Opening:
        """The commitment of a slot in a group, by its number, or in the whole. Raises ChainError without one."""
        ledger = self.whole if number is None else self.groups[number].ledger
        made = ledger.commitments()
        places = [place for place, one in enumerate(made) if one.slot == slot]
        if not places:
            raise ChainError(f"slot {slot} is not committed; wait for its commitment")
        return opening(made, places[-1], self.slots_per_period)

    @cached_property
    def slots_per_period(self) -> int:
        """Slots of a period."""
        return int(self._client.read(self._whole, "slotsPerPeriod"))

    def head(self, number: int | None, period: int) -> bytes:
        """Head of the hash chain over a period's commitments of a group, by its number, or of the whole."""
        return bytes(self._client.read(self._settlement(number), "heads", period))

    def is_paid(self, number: int, period: int) -> bool:
        """Whether a period was paid in a group and in the whole."""
        return min(self.whole.settled_period, self.groups[number].ledger.settled_period) >= period

    def _settlement(self, number: int | None) -> Contract:
        """Settlement of a group, by its number, or of the whole."""
        return self._whole if number is None else self._settlements[number]

    def _sums_n(self, nets_n: Sequence[int]) -> list[int]:
        """Net amount of each group's members together [n¤]."""
        return [int(sum(nets_n[group.members.start : group.members.stop])) for group in self.groups]

    def _pay_in(self, group: MemberGroup, settlement: Contract, needed_n: int) -> None:
        """Queue what a link lacks in a settlement to pay this [n¤]."""
        held = int(self._client.read(settlement, "balanceOf", group.link.address))
        missing, on_ramp = needed_n - held, self._keys.role("on-ramp")
        if missing <= 0:
            return
        currency = self._client.contract("currency", self.whole.currency_address)
        if self.whole.creates_money:
            self._client.send(on_ramp, currency, "mint", on_ramp.address, missing)
        else:
            money.require_held(self._client, currency, on_ramp.address, missing)
        self._client.send(on_ramp, currency, "approve", settlement.address, missing)
        self._client.send(on_ramp, settlement, "depositFor", group.link.address, missing)

    def _shift(self, group: MemberGroup, side: bool, amount_n: int) -> None:
        """Queue the way of a link's money to its other side."""
        operator = self._keys.role("operator")
        there = self._settlements[self.groups.index(group)] if side == FROM_GROUP else self._whole
        self._client.send(operator, group.link, "shift", side, amount_n)
        self._client.send(operator, there, "release", group.link.address)
        self._client.send(operator, group.link, "carry", side)


def blinding_of(address: str) -> bytes:
    """What tells the blinding of a group's trees from that of others: its settlement's address."""
    return bytes.fromhex(address.removeprefix("0x"))


def _group(client: ChainClient, keys: PartKeys, address: str, link: Contract) -> MemberGroup:
    """A group whose settlement is at an address."""
    ledger = ChainLedger.attach(client, keys, address, blinding_of(address))
    return MemberGroup(range(keys.accounts[0], keys.accounts[-1] + 1), ledger, link)
