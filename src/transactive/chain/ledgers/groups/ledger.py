"""The chain of a community that one settlement has no room for: one for each group of members, and one for the whole.

A period goes through two windows. Groups commit each slot and net the period among themselves, their link included;
when all have paid, the whole commits what each owes the others, and nets that. A link needs money where its next
netting takes some: it is paid in as far as it is missing, and carried back when the whole has paid. Certificates are
committed by each group: none travels with energy to another one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from struct import iter_unpack

from web3.contract import Contract

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.history import opening
from transactive.chain.keys.keys import Keys
from transactive.chain.ledgers import money
from transactive.chain.ledgers.blocks import BlockReceipt, summed_gas
from transactive.chain.ledgers.groups.limits import GroupLimits
from transactive.chain.ledgers.groups.link_capital import FROM_GROUP, FROM_WHOLE, LinkCapital
from transactive.chain.ledgers.groups.parts import MemberGroup, groups_at, named_keys
from transactive.chain.ledgers.settlement import ChainLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import NAMED
from transactive.core.errors import ChainError, ContractRevert
from transactive.core.proofs.groups import carbon_of_group, leaves_of_group, leaves_of_whole
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import SigningPlace
from transactive.core.proofs.slot_tree import SlotTree


class GroupedLedger:
    """Deposits, commitments and nettings of one community in groups. Accounts have their numbers in the community.

    certificates_address: none, as each group has its own contract.
    """

    certificates_address: str | None = None
    judges_receipts_together = False
    """A signature is for the judge of one settlement, and a gate has orders of several."""

    def __init__(self, client: ChainClient, keys: Keys, groups: Sequence[MemberGroup], whole: ChainLedger) -> None:
        self._client, self._keys, self.groups, self.whole = client, keys, tuple(groups), whole
        self._whole = whole.contract
        self._capital = LinkCapital(client, keys, whole)

    @classmethod
    def attach(cls, client: ChainClient, keys: Keys, address: str, members: int) -> GroupedLedger:
        """Ledger on the settlement of a whole at `address`, as an earlier run left it. Raises ChainError."""
        whole = ChainLedger.attach(client, named_keys(keys, members), address)
        return cls(client, keys, groups_at(client, keys, address, members), whole)

    # -- where things are -----------------------------------------------------------------------

    @property
    def address(self) -> str:
        """Address of the settlement of the whole."""
        return self.whole.address

    @property
    def currency_address(self) -> str:
        """Address of the token in which deposits are."""
        return self.whole.currency_address

    @property
    def keys(self) -> Keys:
        """Keys of the parties, as far as this machine has them."""
        return self._keys

    @property
    def chain_id(self) -> int:
        """EIP-155 number of the chain."""
        return self._client.chain_id

    @property
    def spans(self) -> list[range]:
        """Members of each group."""
        return [group.members for group in self.groups]

    def group_of(self, account: int) -> tuple[int, int]:
        """Number of a member's group and its place there. Raises ValueError for an account that is no member."""
        for number, group in enumerate(self.groups):
            if account in group.members:
                return number, group.members.index(account)
        raise ValueError(f"account {account} is no member")

    def place_of(self, account: int) -> tuple[ChainLedger, int]:
        """Ledger that has an account, a member's group or the whole, and its place there."""
        if account >= self.spans[-1].stop:
            return self.whole, account - self.spans[-1].stop
        number, place = self.group_of(account)
        return self.groups[number].ledger, place

    def signing_place(self, account: int) -> SigningPlace:
        """Where an account signs: its place in the settlement of its group."""
        ledger, place = self.place_of(account)
        return ledger.signing_place(place)

    def limits(self, members: int) -> GroupLimits:  # noqa: ARG002 - as a ledger is asked
        """Reader of the limits that members set for themselves."""
        return GroupLimits(self.groups)

    # -- steps ----------------------------------------------------------------------------------

    def deposit(self, amounts_n: Sequence[int], timestamp: int) -> BlockReceipt:
        """Create money [n¤] for each account with an amount above zero and deposit it, in a block at `timestamp`."""
        self.queue_deposits(amounts_n)
        return self.block(timestamp)

    def queue_deposits(self, amounts_n: Sequence[int]) -> None:
        """Queue the creation and deposit of money [n¤] for each account with an amount above zero."""
        for group in self.groups:
            group.ledger.queue_deposits(amounts_n[group.members.start : group.members.stop])
        self.whole.queue_deposits(amounts_n[self.spans[-1].stop :])

    def certificates_root(self, leaves: Callable[[], SlotLeaves]) -> bytes:
        """Roots to commit of a slot's leaves of carbon, one for each group, one after the other."""
        carbon = leaves()
        return b"".join(group.ledger.carbon_tree(carbon_of_group(carbon, group.members)).root for group in self.groups)

    def commit_slot(self, leaves: SlotLeaves, certificates: bytes = ZERO) -> list[SlotTree]:
        """Queue the commitment of a slot in each group. certificates: from `certificates_root`, zero without any."""
        return [
            group.ledger.commit_slot(leaves_of_group(leaves, group.members), root)
            for group, root in zip(self.groups, self._roots(certificates), strict=True)
        ]

    def holds(self, leaves: SlotLeaves, certificates: bytes) -> bool:
        """Whether the slot of these leaves was committed with them in all groups."""
        return all(
            group.ledger.holds(leaves_of_group(leaves, group.members), root)
            for group, root in zip(self.groups, self._roots(certificates), strict=True)
        )

    def _roots(self, certificates: bytes) -> list[bytes]:
        """Root of each group's certificates."""
        if certificates == ZERO:
            return [ZERO] * len(self.groups)
        return [bytes(root) for (root,) in iter_unpack("32s", certificates)]

    def propose(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period in each group, and what its link lacks for it. nets_n: of all accounts [n¤]."""
        for group in self.groups:
            own = [int(net) for net in nets_n[group.members.start : group.members.stop]]
            self._capital.pay_in(group, FROM_GROUP, sum(own))
            group.ledger.propose(period, [*own, -sum(own)])

    def pay(self, period: int, windows: int, totals: SlotLeaves, nets_n: Sequence[int]) -> None:
        """Queue what follows a window: groups pay and the whole begins; after the second one the whole pays."""
        if windows == 1:
            self.pay_groups(period, totals, nets_n)
        else:
            self.finalise(period, nets_n)

    def pay_groups(self, period: int, totals: SlotLeaves, nets_n: Sequence[int]) -> SlotTree:
        """Queue the payment of a period in each group, and commitment and netting of the whole. Its tree.

        totals: leaves of the period's last slot. The whole may follow groups only when they have paid: so these calls
        are put on chain in this order.
        """
        for group in self.groups:
            group.ledger.finalise(period)
        tree = self.whole.commit_slot(self.leaves_in_whole(totals))
        self.propose_in_whole(period, nets_n)
        return tree

    def propose_in_whole(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the netting of a period in the whole, and what links lack for it. nets_n: of all accounts [n¤]."""
        sums = self._sums_n(nets_n)
        for group, net in zip(self.groups, sums, strict=True):
            self._capital.pay_in(group, FROM_WHOLE, -net)
        self.whole.propose(period, [*(int(net) for net in nets_n[self.spans[-1].stop :]), *sums])

    def finalise(self, period: int, nets_n: Sequence[int]) -> None:
        """Queue the payment of a period in the whole, and the way back of what links were paid on either side."""
        self.whole.finalise(period)
        for group, net in zip(self.groups, self._sums_n(nets_n), strict=True):
            if net:
                self._capital.shift(group, FROM_GROUP if net < 0 else FROM_WHOLE, abs(net))

    def request_withdrawal(self, index: int, amount_n: int) -> None:
        """Queue the account's announcement that `amount_n` [n¤] shall leave."""
        ledger, place = self.place_of(index)
        ledger.request_withdrawal(place, amount_n)

    def release(self, index: int) -> None:
        """Queue the operator's waiver of the notice."""
        ledger, place = self.place_of(index)
        ledger.release(place)

    def withdraw(self, index: int) -> None:
        """Queue the payment of a requested withdrawal to the account's wallet."""
        ledger, place = self.place_of(index)
        ledger.withdraw(place)

    def block(self, timestamp: int) -> BlockReceipt:
        """Put all that is queued on chain; embedded, in a block at `timestamp` [Unix s]. Raises ChainError."""
        try:
            block = self._client.block(timestamp)
        except ContractRevert as error:
            raise money.told(error, self.currency_address) from error
        return BlockReceipt(block.number, block.hash, block.timestamp, summed_gas(block.receipts))

    # -- what the chain says --------------------------------------------------------------------

    def at(self, timestamp: int) -> BlockReceipt | None:
        """Block of this run at `timestamp` [Unix s], or None if the chain has not come so far."""
        return self.whole.at(timestamp)

    def is_newest(self, number: int) -> bool:
        """Whether nothing of ours was put on chain after block `number`."""
        return self._client.is_newest(number)

    def ends_with(self, number: int) -> bool:
        """Whether nobody put anything on chain after block `number`; False on a node elsewhere, which others use."""
        return self.whole.ends_with(number)

    def balances_n(self, block: int | None = None) -> list[int]:
        """Settled balance of every account [n¤], links not among them, now or at a block."""
        members = [balance for group in self.groups for balance in group.ledger.balances_n(block)[: len(group.members)]]
        return [*members, *self.whole.balances_n(block)[: len(NAMED)]]

    def links_n(self) -> list[tuple[int, int]]:
        """What each link has in its group and in the whole [n¤]."""
        return self._capital.held_n(self.groups)

    def commitments(self) -> list[Commitment]:
        """Commitments of all slots in the first group, oldest first; the others have the same slots."""
        return self.groups[0].ledger.commitments()

    @property
    def last_slot(self) -> int | None:
        """Number of the newest slot that all groups have committed; None before the first."""
        found = [slot for group in self.groups if (slot := group.ledger.last_slot) is not None]
        return min(found) if len(found) == len(self.groups) else None

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

    def leaves_in_whole(self, last: SlotLeaves) -> SlotLeaves:
        """Leaves of the whole in a period, as of the slot with which it ends; last: those of the last that there was.

        They are the same slot, unless accounts moved to other contracts in the middle of the period.
        """
        period = last.slot // self.slots_per_period
        heads = [self.head(number, period) for number in range(len(self.groups))]
        return replace(leaves_of_whole(last, self.spans, heads), slot=(period + 1) * self.slots_per_period - 1)

    def last_in(self, period: int) -> int | None:
        """Number of the newest slot of a period that groups committed; None before the whole has committed it."""
        if not any(self.head(None, period)):
            return None
        return max(one.slot for one in self.commitments() if one.slot // self.slots_per_period == period)

    @property
    def gas_slot_commits(self) -> list[int]:
        """Gas of each slot commitment of each group."""
        return [gas for group in self.groups for gas in group.ledger.gas_slot_commits]

    @property
    def gas_nettings(self) -> list[int]:
        """Gas of each period's netting in all groups and the whole: proposals and payment, capital apart."""
        ledgers = [*(group.ledger for group in self.groups), self.whole]
        return [sum(of) for of in zip(*(ledger.gas_nettings for ledger in ledgers), strict=False)]

    def _settlement(self, number: int | None) -> Contract:
        """Settlement of a group, by its number, or of the whole."""
        return self._whole if number is None else self.groups[number].settlement

    def _sums_n(self, nets_n: Sequence[int]) -> list[int]:
        """Net amount of each group's members together [n¤]."""
        return [int(sum(nets_n[group.members.start : group.members.stop])) for group in self.groups]
