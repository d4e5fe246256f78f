"""A community in groups on an embedded chain: two, two and three members, named accounts, the operator's books."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tests.contract.world import Anchored, kept
from transactive.chain.disputes.nested import NestedProof, Placed, evidence_of
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.ledgers.groups.deploying import deploy_groups
from transactive.chain.ledgers.groups.ledger import GroupedLedger
from transactive.chain.nodes.client import ChainClient
from transactive.core.accounts import NAMED
from transactive.core.errors import ContractRevert
from transactive.core.proofs.groups import leaves_of_whole
from transactive.core.proofs.leaves import SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree

KEYS = DemoKeys("groups")
HOUR, SLOTS, WINDOW, PENALTY = 3600, 4, 1800, 1_000
DAY = SLOTS * HOUR
PERIOD = 100_000
START = PERIOD * DAY
OPERATOR, ARBITER, ON_RAMP = (KEYS.role(name) for name in ("operator", "arbiter", "on-ramp"))
STRANGER = KEYS.named("stranger")


def deployed(members: int, most: int, start: int = START) -> GroupedLedger:
    """A ledger on a new chain in memory."""
    alloc = [*KEYS.addresses(members + len(NAMED)), STRANGER.address]
    client = kept(ChainClient.open("embedded::memory:", genesis_time=start - HOUR, alloc=alloc))
    return deploy_groups(
        client, KEYS, members=members, most=most, timestamp=start - HOUR + 1, slot_seconds=HOUR,
        slots_per_period=SLOTS, window=WINDOW, penalty_n=PENALTY, currency_name="Local Energy", currency_symbol="LEN",
    )  # fmt: skip


class Books:
    """Running totals of a period, of members and named accounts."""

    def __init__(self, accounts: int) -> None:
        self.money, self.energy, self.slot_money, self.slot_energy = (np.zeros((accounts, 4), np.int64) for _ in "mest")

    def pay(self, payer: int, payee: int, amount: int, wh: int = 0) -> None:
        for table in (self.money, self.slot_money):
            table[payer] += (amount, 0, wh, 0)
            table[payee] += (0, amount, 0, wh)
        for table in (self.energy, self.slot_energy):
            table[payer, 0] += wh
            table[payee, 1:3] += wh

    def leaves(self, slot: int) -> SlotLeaves:
        nothing = [ZERO] * len(self.money)
        money, energy, slot_money, slot_energy = (
            table.copy() for table in (self.money, self.energy, self.slot_money, self.slot_energy)
        )
        return SlotLeaves(slot, money, energy, slot_money, slot_energy, nothing, nothing)

    def begin(self) -> None:
        self.slot_money[:], self.slot_energy[:] = 0, 0

    @property
    def nets(self) -> list[int]:
        return [int(net) for net in self.money[:, 1] - self.money[:, 0]]


class GroupWorld:
    """Seven members in three groups. `now` is the time of the next block."""

    MEMBERS = 7
    SUPPLIER = MEMBERS

    def __init__(self) -> None:
        self.ledger = deployed(self.MEMBERS, 3)
        self.client = self.ledger._client
        self.ledger.deposit([10_000] * (self.MEMBERS + len(NAMED)), START)
        self.judge = self.client.contract(
            "group_disputes",
            self.client.read(self.client.contract("disputes", self.ledger.whole.disputes_address), "demands"),
        )
        self.anchored = Anchored(self.client)
        self.begin()

    def begin(self) -> None:
        self.now, self.period, self.gas = START + 1, PERIOD, dict[str, int]()
        self.books = Books(self.MEMBERS + len(NAMED))

    @classmethod
    def fresh(cls) -> GroupWorld:
        world = _world()
        world.anchored.restore()
        world.ledger.whole._gas = None
        world.begin()
        return world

    @property
    def last(self) -> int:
        """Number of the period's last slot."""
        return (self.period + 1) * SLOTS - 1

    def mine(self) -> None:
        self.now = max(self.now, self.client.head_timestamp + 1)
        self.gas = self.ledger.block(self.now).gas
        self.now = self.client.head_timestamp + 1

    def do(self, sender: Any, contract: Any, function: str, *arguments: Any) -> None:
        self.client.send(sender, contract, function, *arguments)
        self.mine()

    def trade(self) -> None:
        """Members of all groups buy from each other and from the supplier, in the first slot and in the last one."""
        self.books = Books(self.MEMBERS + len(NAMED))
        self.trees: list[list[SlotTree]] = []
        for slot, deals in (
            (self.last - SLOTS + 1, [(0, 1, 300, 3), (0, 6, 500, 5), (2, self.SUPPLIER, 70, 7)]),
            (self.last, [(5, 3, 110, 11), (4, 0, 40, 4)]),
        ):
            for payer, payee, amount, wh in deals:
                self.books.pay(payer, payee, amount, wh)
            self.leaves = self.books.leaves(slot)
            self.trees.append(self.ledger.commit_slot(self.leaves))
            self.now = max(self.now, (slot + 1) * HOUR)
            self.mine()
            self.books.begin()

    def propose(self) -> None:
        self.ledger.propose(self.period, self.books.nets)
        self.mine()

    def pay_groups(self) -> None:
        """The groups pay, and the whole commits and proposes."""
        self.now += WINDOW
        self.tree = self.ledger.pay_groups(self.period, self.leaves, self.books.nets)
        self.mine()

    def pay_groups_alone(self) -> SlotLeaves:
        """The groups pay; leaves that the whole may commit now."""
        self.now += WINDOW
        for group in self.ledger.groups:
            group.ledger.finalise(self.period)
        self.mine()
        return self.whole_leaves()

    def propose_whole(self) -> None:
        """The whole proposes, after a commitment of its own."""
        self.ledger.propose_in_whole(self.period, self.books.nets)
        self.mine()

    @property
    def shifted(self) -> int:
        """Links whose money goes to the other side after a period."""
        spans = [group.members for group in self.ledger.groups]
        return sum(sum(self.books.nets[of.start : of.stop]) != 0 for of in spans)

    def whole_leaves(self) -> SlotLeaves:
        heads = [self.ledger.head(number, self.period) for number in range(len(self.ledger.groups))]
        return leaves_of_whole(self.leaves, [group.members for group in self.ledger.groups], heads)

    def finalise(self) -> None:
        self.now += WINDOW
        self.ledger.finalise(self.period, self.books.nets)
        self.mine()

    def placed(self, number: int, tree: SlotTree | None = None) -> tuple[Placed, Placed]:
        """A group's leaf in the whole, and its link's leaf in its last commitment."""
        group, shown = self.ledger.groups[number], tree or self.tree
        there = Placed.of(shown, len(NAMED) + number, self.ledger.opening(None, self.last))
        own = Placed.of(self.trees[-1][number], group.link_place, self.ledger.opening(number, self.last))
        return there, own

    def evidence(self, number: int, tree: SlotTree | None = None) -> tuple[Any, ...]:
        whole, own = self.placed(number, tree)
        return evidence_of(whole, self.link(number), own)

    def link(self, number: int) -> str:
        return str(self.ledger.groups[number].link.address)

    def settlement(self, of_group: bool, number: int = 0) -> Any:
        """Settlement of a group, or that of the whole."""
        return self.ledger._settlement(number if of_group else None)

    @property
    def currency(self) -> Any:
        """The token of all settlements."""
        return self.ledger.whole._currency

    def wallet_n(self, address: str) -> int:
        """What somebody holds outside."""
        return int(self.client.read(self.currency, "balanceOf", address))

    def lend(self, amount: int) -> None:
        """Give the first link capital in its group."""
        place = self.settlement(of_group=True)
        self.client.send(ON_RAMP, self.currency, "mint", ON_RAMP.address, amount)
        self.client.send(ON_RAMP, self.currency, "approve", place.address, amount)
        self.client.send(ON_RAMP, place, "depositFor", self.link(0), amount)
        self.mine()

    def tell(self, name: str, of_group: bool, amount: int = 0) -> str:
        """One call to the first link, or of the operator for it; why it is refused, empty if it goes through."""
        link = self.ledger.groups[0].link
        try:
            if name == "release":
                self.do(OPERATOR, self.settlement(of_group), name, link.address)
            elif name == "carry":
                self.do(STRANGER, link, name, of_group)
            else:
                self.do(OPERATOR if name == "shift" else ON_RAMP, link, name, of_group, amount)
        except ContractRevert as error:
            return str(error)
        return ""

    def proof(self, member: int, place: int = -1) -> NestedProof:
        """Way of a member's leaf in the period's first (0) or last slot to the payment."""
        number, index = self.ledger.group_of(member)
        whole, link = self.placed(number)
        slot = (self.last - SLOTS + 1, self.last)[place]
        own = Placed.of(self.trees[place][number], index, self.ledger.opening(number, slot))
        return NestedProof(number, own, link, whole)

    @property
    def bond(self) -> int:
        return int(self.client.read(self.client.contract("settlement", self.ledger.address), "bond"))


@cache
def _world() -> GroupWorld:
    return GroupWorld()
