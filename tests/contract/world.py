"""A settlement contract on an embedded chain in memory, its parties, and the operator's books."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache

import pytest

from transactive.chain.client import ChainClient
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.history import Commitment, Opening, opening
from transactive.chain.keys import DemoKeys
from transactive.chain.nodes import EmbeddedNode
from transactive.chain.packing import decode_balances, encode_nets, words_for
from transactive.core.errors import ContractRevert
from transactive.core.merkle import MONEY, ZERO, Node, Step, Tree, parent_hash

SLOT, SLOTS, WINDOW, DEPTH = 900, 4, 600, 4
PERIOD = SLOT * SLOTS
NOTICE = PERIOD + WINDOW
FIRST = 400_000
"""Period in which the tests begin."""
KEYS = DemoKeys("tests")
OWNER, OPERATOR, ARBITER, ON_RAMP = (KEYS.role(name) for name in ("owner", "operator", "arbiter", "on-ramp"))
MEMBERS = [KEYS.account(i) for i in range(16)]
STRANGER, CANDIDATE = KEYS.account(100), KEYS.account(101)
EVERYBODY = [key.address for key in (OWNER, OPERATOR, ARBITER, ON_RAMP, STRANGER, CANDIDATE, *MEMBERS)]
NOBODY = "0x" + "00" * 20
WALLET = 2**64
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
    """What the operator keeps for a period: running totals per member."""

    def __init__(self, members: int) -> None:
        self.totals = [[0, 0, 0, 0] for _ in range(members)]

    def trade(self, buyer: int, seller: int, money: int, energy: int = 1) -> None:
        for who, lanes in ((buyer, (0, 2)), (seller, (1, 3))):
            self.totals[who][lanes[0]] += money
            self.totals[who][lanes[1]] += energy

    def sums(self, index: int) -> int:
        return MONEY.pack(self.totals[index])

    def tree(self, slot: int) -> Tree:
        return Tree.of_slot(slot, [self.sums(i) for i in range(len(self.totals))], DEPTH)

    def nets(self) -> list[int]:
        return [credit - debit for debit, credit, _, _ in self.totals]


class Forged(Tree):
    """A dishonest tree: sums wrap, and one node, given as (level, position, sums), states what it likes."""

    def __init__(self, leaves: Sequence[Node], lie: tuple[int, int, int] | None = None) -> None:
        super().__init__([], DEPTH)
        row = list(leaves)
        for level in range(DEPTH + 1):
            if level:
                pairs = [(self.node(level - 1, p), self.node(level - 1, p + 1)) for p in range(0, len(row), 2)]
                row = [(parent_hash(*left, *right), (left[1] + right[1]) % 2**256) for left, right in pairs]
            if lie and lie[0] == level:
                row[lie[1]] = (row[lie[1]][0], lie[2])
            self._levels[level] = row


class World:
    """The contract with its members. `now` is the time of the next block."""

    def __init__(self, members: int, money: int) -> None:
        self.client = new_client()
        client, settlement_rules = self.client, (DEPTH, SLOT, SLOTS, WINDOW, NOTICE)
        self.token = client.deploy(OWNER, "currency", "Test", "TST", 2**80)
        self.c = client.deploy(OWNER, "settlement", self.token.address, *settlement_rules)
        client.send(OWNER, self.token, "setMinter", ON_RAMP.address, ON)
        client.send(OWNER, self.c, "offerOperator", OPERATOR.address)
        client.send(OPERATOR, self.c, "acceptOperator")
        client.send(OWNER, self.c, "setArbiter", ARBITER.address)
        self.members = MEMBERS[:members]
        for member in self.members:
            client.send(OPERATOR, self.c, "register", member.address)
            client.send(ON_RAMP, self.token, "mint", member.address, WALLET)
            client.send(member, self.token, "approve", self.c.address, 2**256 - 1)
            if money:
                client.send(member, self.c, "deposit", money)
        client.block(FIRST * PERIOD)
        self.anchored = Anchored(client)
        self.begin()

    @classmethod
    def fresh(cls, members: int = 8, money: int = 1000) -> World:
        """World as after deployment."""
        world = _world(members, money)
        world.anchored.restore()
        world.begin()
        return world

    def begin(self) -> None:
        self.now = FIRST * PERIOD + 1
        self.period = FIRST
        self.new_period()

    def new_period(self) -> None:
        self.book = Book(len(self.members))
        self.chain: list[Commitment] = []
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
        return decode_balances([self.read("balances", j) for j in range(words_for(len(self.members)))])

    def solvent(self) -> bool:
        return sum(self.balances()) == int(self.client.read(self.token, "balanceOf", self.c.address))

    def commit(self, tree: Tree | None = None, totals: int | None = None, certificates: bytes = ZERO) -> None:
        """Commit the next slot of the period."""
        self.now = max(self.now, (self.slot + 1) * SLOT)
        self.tree = tree or self.book.tree(self.slot)
        totals = self.tree.totals if totals is None else totals
        made = Commitment(self.slot, self.tree.root, certificates, totals, 0, 0)
        self.do(OPERATOR, "commitSlot", *made.content)
        self.chain.append(made)
        self.slot += 1

    def end(self) -> None:
        self.now = max(self.now, (self.period + 1) * PERIOD)

    def propose(self, words: list[int] | None = None) -> None:
        self.end()
        self.words = encode_nets(self.book.nets()) if words is None else words
        self.do(OPERATOR, "propose", self.period, self.words)

    def challenge(self, index: int, sums: int | None = None, proof: list[Step] | None = None) -> None:
        sums = self.book.sums(index) if sums is None else sums
        proof = self.tree.proof(index) if proof is None else proof
        last = self.opening()
        self.do(STRANGER, "challenge", self.words, index, sums, proof, last.previous, last.commitment.content)

    def opening(self, position: int = -1) -> Opening:
        """Proof of a commitment of the period; of the last one, if no other is wanted."""
        return opening(self.chain, position, SLOTS)

    def after_window(self) -> None:
        self.now = max(self.now, self.read("proposal")[1])

    def finalise(self) -> None:
        self.after_window()
        self.do(STRANGER, "finalise", self.words)
        self.period += 1
        self.new_period()


@cache
def _world(members: int, money: int) -> World:
    return World(members, money)
