"""The event cursor: each event once and in order, whatever a reorganisation does, against all logs of the chain."""

from __future__ import annotations

import json
from contextlib import closing
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.served import KEYS, START, Node, http
from tests.contract.world import ON
from transactive.chain.embedded.chain import EmbeddedChain
from transactive.chain.embedded.provider import EmbeddedProvider
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.events import LONGEST_RANGE, read_logs
from transactive.chain.nodes.nodes import EmbeddedNode
from transactive.chain.nodes.remote import Patience
from transactive.core.errors import ChainError

OWNER = KEYS.role("owner")


class Minted:
    """A currency, a cursor over it, and what a reader of the cursor believes."""

    def __init__(self) -> None:
        chain = EmbeddedChain(":memory:", alloc={OWNER.address: 10**24}, genesis_time=START)
        self.chain, self.client = chain, ChainClient(EmbeddedNode(EmbeddedProvider(chain)))
        self.token = self.client.deploy(OWNER, "currency", "x", "x", 10**18)
        self.client.send(OWNER, self.token, "setMinter", OWNER.address, ON)
        self.client.block(START + 1)
        self.cursor = self.client.cursor([self.token], first=1)
        self.marks: list[int] = []
        self.believed: list[object] = []

    def mint(self, events: int, amount: int) -> None:
        for _ in range(events):
            self.client.send(OWNER, self.token, "mint", OWNER.address, amount)
        self.client.block(self.client.head_timestamp + 1)

    def back(self, steps: int) -> None:
        """A reorganisation: to an earlier block, from which another history follows."""
        if self.marks:
            index = max(len(self.marks) - 1 - steps, 0)
            assert self.chain.revert(index + 1)
            del self.marks[index:]
            self.client.forget()

    def mark(self) -> None:
        self.marks.append(self.chain.snapshot())

    def read(self) -> None:
        news = self.cursor.read()
        for log in news.removed:
            assert self.believed.pop() == log
        self.believed += news.added


STEP = st.one_of(
    st.tuples(st.just("mint"), st.integers(0, 2)), st.tuples(st.just("back"), st.integers(0, 4)), st.just(("read", 0))
)


@settings(max_examples=12)
@given(steps=st.lists(STEP, max_size=25))
def test_a_reader_believes_what_is_on_the_chain(steps):
    minted = Minted()
    with closing(minted.client):
        for number, (step, value) in enumerate([*steps, ("read", 0)]):
            if step == "mint":
                minted.mark()
                minted.mint(value, number + 1)
            elif step == "back":
                minted.back(value)
            else:
                minted.read()
        assert minted.believed == minted.client.logs(minted.token, 1)


def test_a_chain_begun_anew_is_said_and_not_guessed(monkeypatch):
    monkeypatch.setattr("transactive.chain.nodes.events.MARKS", 4)
    minted, other = Minted(), Minted()
    with closing(minted.client), closing(other.client):
        for amount in range(5):
            minted.mint(1, 1)
            other.mint(1, amount + 2)
            minted.read()
        minted.cursor.node = other.client._node
        with pytest.raises(ChainError, match="reorganised further back than the 4 blocks remembered"):
            minted.read()


def test_a_node_that_allows_short_ranges_is_asked_for_short_ones():
    asked: list[tuple[int, int]] = []

    class Stingy(Node):
        def answer(self, text):
            answer = super().answer(text)
            if b"eth_getLogs" in bytes(text):
                wanted = json.loads(text)["params"][0]
                first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
                asked.append((first, last))
                if last - first >= 3:
                    error = {"code": -32005, "message": "block range too large"}
                    return json.dumps({"jsonrpc": "2.0", "id": json.loads(text)["id"], "error": error}).encode()
            return answer

    node = Stingy()
    with http(node) as url, closing(ChainClient.open(url, patience=Patience(longest_poll_seconds=0))) as client:
        token = client.deploy(OWNER, "currency", "x", "x", 100)
        client.send(OWNER, token, "setMinter", OWNER.address, ON)
        client.block(START)
        for _ in range(8):
            client.send(OWNER, token, "mint", OWNER.address, 1)
            client.block(client.head_timestamp + 1)
        logs = client.logs(token)
        assert len(logs) == 10
        assert logs == read_logs(EmbeddedNode(EmbeddedProvider(node.chain)), [token.address], 0, client.height)
        assert asked[0][1] - asked[0][0] < LONGEST_RANGE
        good = [pair for pair in asked if pair[1] - pair[0] < 3]
        assert good[0][0] == 0
        assert all(later[0] == earlier[1] + 1 for earlier, later in pairwise(good))
    node.chain.close()


def test_a_node_that_refuses_every_range_is_named():
    class Refusing:
        def ask(self, *_):
            raise ChainError("no logs here")

    with pytest.raises(ChainError, match="no logs here"):
        read_logs(Refusing(), ["0x"], 0, 10)  # type: ignore[arg-type]
