"""A settlement contract on an embedded chain in memory, its parties, and the operator's books."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Self

import numpy as np
import pytest

from transactive.chain.commitments import Commitment, Opening
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.history import opening
from transactive.chain.keys.keys import DemoKeys
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.nodes import EmbeddedNode
from transactive.chain.packing import PART_WORDS, decode_balances, encode_nets, words_for
from transactive.core.errors import ContractRevert
from transactive.core.proofs.leaves import Leaf, LeafMark, SlotLeaves, Step, parent_hash
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.signed_orders import Fills, SignedOrder, domain
from transactive.core.proofs.slot_tree import SlotTree
from transactive.core.units import IntArray

SLOT, SLOTS, WINDOW, DEPTH = 900, 4, 600, 5
PERIOD = SLOT * SLOTS
LEAD = 1
NOTICE = PERIOD + (LEAD + 1) * SLOT + WINDOW
SILENCE, PENALTY, BOND = 2 * NOTICE, 1_000, 5_000
FIRST = 400_000
"""Period in which the tests begin."""
KEYS = DemoKeys("tests")
ROLES = ("owner", "operator", "arbiter", "on-ramp", "gateway")
OWNER, OPERATOR, ARBITER, ON_RAMP, GATEWAY = (KEYS.role(name) for name in ROLES)
MEMBERS = [KEYS.account(i) for i in range(16)]
REGISTRAR = ON_RAMP
RECOVERY = NOTICE + WINDOW
"""Delay of a registry that a settlement takes its members from [s]."""
STRANGER, CANDIDATE, AGENT = (KEYS.account(number) for number in (100, 101, 102))
SECRET = b"tests"
EVERYBODY = [key.address for key in (OWNER, OPERATOR, ARBITER, ON_RAMP, GATEWAY, STRANGER, CANDIDATE, *MEMBERS)]
NOBODY = "0x" + "00" * 20
WALLET = 2**64
BLANK = Leaf(0, 0, 0, 0, 0, 0, ZERO, ZERO, ZERO)
ON, OFF = True, False


@contextmanager
def refused(reason: str) -> Iterator[None]:
    """Expect exactly this revert."""
    with pytest.raises(ContractRevert) as caught:
        yield
    assert str(caught.value) == reason


def reason_of(call, *arguments) -> str | None:
    """Reason of a refusal, None if it went through."""
    try:
        call(*arguments)
    except ContractRevert as error:
        return str(error)
    return None


OPENED: list[ChainClient] = []
"""Chains to close when all tests are done."""
NODES: list[Callable[[], str]] = []
"""What gives the URL of a new node, if tests shall not run on an embedded chain: the last one counts."""


def new_client(genesis_time: int = 1, more: Sequence[str] = ()) -> ChainClient:
    """Client of a new chain on which everybody, and the addresses `more`, have gas; in memory, or on one of `NODES`."""
    url = NODES[-1]() if NODES else "embedded::memory:"
    return kept(ChainClient.open(url, genesis_time=genesis_time, alloc=[*EVERYBODY, *more]))


def kept(client: ChainClient) -> ChainClient:
    """Client that is closed when all tests are done."""
    OPENED.append(client)
    return client


class Anchored:
    """A chain that can be taken back to where it was: `fresh` does so as often as wanted."""

    def __init__(self, client: ChainClient) -> None:
        self.client = client
        self.mark = client._node.ask("evm_snapshot")

    @property
    def chain(self) -> EmbeddedChain:
        assert isinstance(self.client._node, EmbeddedNode)
        return self.client._node.chain

    def restore(self) -> None:
        assert self.client._node.ask("evm_revert", self.mark) is True
        self.client.forget()
        self.mark = self.client._node.ask("evm_snapshot")


class Book:
    """What the operator keeps for a period: running totals per member, and their part since the last commitment."""

    def __init__(self, members: int) -> None:
        self.money, self.energy = ([[0] * 4 for _ in range(members)] for _ in range(2))
        self.substituted = np.zeros((members, 2), np.int64)
        self._start()

    def begin(self) -> None:
        """Count anew what belongs to the next commitment."""
        self.substituted = self._substituted()
        self._start()

    def _start(self) -> None:
        members = len(self.money)
        self.slot_money, self.slot_energy = ([[0] * 4 for _ in range(members)] for _ in range(2))
        self.fills, self.orders = ([ZERO] * members for _ in range(2))
        self.marks = [0] * members

    def add(self, index: int, lane: int, amount: int, *, energy: bool = False) -> None:
        for table in (self.energy, self.slot_energy) if energy else (self.money, self.slot_money):
            table[index][lane] += amount

    def trade(self, buyer: int, seller: int, money: int, energy: int = 1) -> None:
        for who, lanes in ((buyer, (0, 2)), (seller, (1, 3))):
            self.add(who, lanes[0], money)
            self.add(who, lanes[1], energy)

    def leaves(self, slot: int) -> SlotLeaves:
        tables = (self.money, self.energy, self.slot_money, self.slot_energy)
        money, energy, slot_money, slot_energy = (np.array(table, np.int64) for table in tables)
        marks = np.array(self.marks if any(self.marks) else [], np.int64)
        sums = (money, energy, slot_money, slot_energy)
        return SlotLeaves(slot, *sums, list(self.fills), list(self.orders), marks, self._substituted())

    def _substituted(self) -> IntArray:
        """What each member took and gave so far in slots that are marked as substituted."""
        marked = np.array(self.marks) & int(LeafMark.SUBSTITUTED) != 0
        return self.substituted + np.where(marked[:, None], np.array(self.slot_energy, np.int64)[:, :2], 0)

    def tree(self, slot: int) -> SlotTree:
        return SlotTree(self.leaves(slot), DEPTH, SECRET)

    def nets(self) -> list[int]:
        return [credit - debit for debit, credit, _, _ in self.money]


class Forged:
    """A tree built node by node, which may be dishonest: sums wrap, and some nodes state what they like."""

    def __init__(
        self,
        honest: SlotTree,
        places: Mapping[int, tuple[bytes, int, int]] | None = None,
        lies: Mapping[tuple[int, int], tuple[int, int]] | None = None,
        leaves: Mapping[int, Leaf] | None = None,
    ) -> None:
        """Change an honest tree. places: other nodes at the bottom; lies: (level, position) to stated sums."""
        self.honest, self.other = honest, leaves or {}
        bottom = [honest.node(0, place) for place in range(1 << DEPTH)]
        for index, leaf in self.other.items():
            bottom[2 * index] = (leaf.hash, leaf.money, leaf.energy)
        for place, node in (places or {}).items():
            bottom[place] = node
        self.levels = [bottom]
        for level in range(DEPTH + 1):
            row = self.levels[level]
            for (at, position), sums in (lies or {}).items():
                if at == level:
                    row[position] = (row[position][0], *sums)
            pairs = zip(row[0::2], row[1::2], strict=False)
            self.levels.append([(parent_hash(a, b), (a[1] + b[1]) % 2**256, (a[2] + b[2]) % 2**256) for a, b in pairs])
        self.root, self.money, self.energy = self.levels[DEPTH][0]

    def leaf(self, index: int) -> Leaf:
        return self.other.get(index) or self.honest.leaf(index)

    def proof(self, index: int) -> list[Step]:
        path, position = [], 2 * index
        for row in self.levels[:DEPTH]:
            path.append((*row[position ^ 1], *row[position][1:]))
            position //= 2
        return path


class World:
    """The contract with its members. `now` is the time of the next block."""

    def __init__(self, members: int, money: int, *, registry: bool = False) -> None:
        self.client = new_client()
        client = self.client
        self.registry = client.deploy(OWNER, "registry", RECOVERY) if registry else None
        named = self.registry.address if self.registry else NOBODY
        rules = (DEPTH, SLOT, SLOTS, WINDOW, NOTICE, SILENCE, PENALTY, ARBITER.address, LEAD, named)
        if self.registry:
            client.send(OWNER, self.registry, "setRegistrar", REGISTRAR.address)
        self.token = client.deploy(OWNER, "currency", "Test", "TST", 2**80)
        self.c = client.deploy(OWNER, "settlement", self.token.address, *rules)
        self.disputes = client.deploy(OWNER, "disputes", self.c.address)
        client.send(OWNER, self.c, "setDisputes", self.disputes.address)
        self.appoint()
        client.send(OWNER, self.disputes, "setGateway", GATEWAY.address)
        client.send(OWNER, self.token, "setMinter", ON_RAMP.address, ON)
        client.send(OWNER, self.c, "offerOperator", OPERATOR.address)
        client.send(OPERATOR, self.c, "acceptOperator")
        client.send(OWNER, self.c, "setArbiter", ARBITER.address)
        client.send(ON_RAMP, self.token, "mint", OPERATOR.address, WALLET)
        client.send(OPERATOR, self.token, "approve", self.c.address, 2**256 - 1)
        client.send(OPERATOR, self.c, "fundBond", BOND)
        self.count = members
        self.members = MEMBERS[:members]
        for member in self.members:
            if self.registry:
                client.send(REGISTRAR, self.registry, "register", member.address, 0)
            client.send(OPERATOR, self.c, "register", member.address)
            client.send(ON_RAMP, self.token, "mint", member.address, WALLET)
            client.send(member, self.token, "approve", self.c.address, 2**256 - 1)
            if money:
                client.send(member, self.c, "deposit", money)
        client.block(FIRST * PERIOD)
        self.anchored = Anchored(client)
        self.begin()

    def appoint(self) -> None:
        """Name the judge of demands."""
        self.demands = self.client.deploy(OWNER, "demands", self.disputes.address)
        self.client.send(OWNER, self.disputes, "setDemands", self.demands.address)

    @classmethod
    def fresh(cls, members: int = 8, money: int = 1000, *, registry: bool = False) -> Self:
        """World as after deployment; with a registry, its members come from there."""
        world: Self = _world(cls, members, money, registry)  # type: ignore[arg-type]  # classes can be hashed
        world.anchored.restore()
        world.begin()
        return world

    def begin(self) -> None:
        self.now = FIRST * PERIOD + 1
        self.members = MEMBERS[: self.count]
        self.period = FIRST
        self.new_period()

    def new_period(self) -> None:
        self.book = Book(len(self.members))
        self.chain: list[Commitment] = []
        self.trees: dict[int, SlotTree | Forged] = {}
        self.signed: dict[int, list[SignedOrder]] = {}
        self.fills: dict[int, Fills] = {}
        self.slot = self.period * SLOTS
        self.words: list[int] = []

    def do(self, sender, function: str, *arguments, contract=None) -> None:
        """Mine one call at `now`; the next block is at least a second later."""
        self.client.send(sender, contract or self.c, function, *arguments)
        self.mine()

    def mine(self) -> None:
        self.now = max(self.now, self.client.head_timestamp + 1)
        try:
            self.client.block(self.now)
        finally:
            self.now += 1

    def read(self, function: str, *arguments):
        return self.client.read(self.c, function, *arguments)

    def wallet(self, account) -> int:
        return int(self.client.read(self.token, "balanceOf", account.address))

    def balances(self) -> list[int]:
        return decode_balances([self.read("balances", j) for j in range(words_for(self.read("memberCount")))])

    def solvent(self) -> bool:
        awarded = sum(self.read("awards", key.address) for key in (STRANGER, ARBITER, *self.members))
        held = int(self.client.read(self.token, "balanceOf", self.c.address))
        return bool(sum(self.balances()) + int(self.read("bond")) + awarded == held)

    def commit(
        self,
        tree: SlotTree | Forged | None = None,
        totals: tuple[int, int] | None = None,
        certificates: bytes = ZERO,
        stated: int | None = None,
    ) -> None:
        """Commit the next slot of the period. stated: as substituted, unless it is what leaves are marked with."""
        self.now = max(self.now, (self.slot + 1) * SLOT)
        self.tree = tree or self.book.tree(self.slot)
        money, energy = totals or (self.tree.money, self.tree.energy)
        if stated is None:
            stated = (self.tree.honest if isinstance(self.tree, Forged) else self.tree).leaves.stated
        made = Commitment(self.slot, self.tree.root, certificates, money, energy, 0, stated)
        self.do(OPERATOR, "commitSlot", *made.content)
        self.chain.append(made)
        self.trees[self.slot] = self.tree
        self.book.begin()
        self.slot += 1

    def back(self, slots: int = 1) -> None:
        """Forget the last commitments: they were taken back, and are made again."""
        del self.chain[-slots:]
        self.slot -= slots

    def end(self) -> None:
        self.now = max(self.now, (self.period + 1) * PERIOD)

    def propose(self, nets: list[int] | None = None) -> None:
        self.end()
        wanted = self.book.nets() if nets is None else nets
        self.words = encode_nets([*wanted, *[0] * (len(self.members) - len(wanted))])
        self.do(OPERATOR, "propose", self.period, 0, self.words)

    def shown(self, index: int, position: int = -1, **changes: Any) -> tuple[Any, ...]:
        """A member's leaf and proof in a commitment of the period, as the judge wants them."""
        tree = self.trees[self.chain[position].slot]
        leaf = changes.get("leaf") or (tree.leaf(index) if index < len(self.members) else BLANK)
        blank, proof = changes.get("blank", index >= len(self.members)), changes.get("proof") or tree.proof(index)
        return index, blank, leaf.content, proof

    def judge(self, function: str, *arguments: Any, sender: Any = STRANGER) -> None:
        """Bring evidence."""
        self.do(sender, function, *arguments, contract=self.disputes)

    def demand(self, function: str, *arguments: Any, sender: Any = STRANGER) -> None:
        """Ask for what stands behind a place, answer, or show that nobody did."""
        self.do(sender, function, *arguments, contract=self.demands)

    def challenge(self, index: int, **changes: Any) -> None:
        """Show a leaf of the last slot against what is proposed."""
        self.judge("challengeNetting", self.opening().content, self.shown(index, **changes))

    @property
    def domain(self) -> bytes:
        """Domain of what is signed for this settlement."""
        return domain(self.client.chain_id, self.c.address)

    def opening(self, position: int = -1) -> Opening:
        """Proof of a commitment of the period; of the last one, if no other is wanted."""
        return opening(self.chain, position, SLOTS)

    def after_window(self) -> None:
        self.now = max(self.now, self.read("proposal")[1])

    def finalise(self) -> None:
        self.after_window()
        self.do(STRANGER, "finalise", PART_WORDS)
        self.period += 1
        self.new_period()


@cache
def _world(kind: type[Any], members: int, money: int, registry: bool) -> Any:
    return kind(members, money, registry=registry)
