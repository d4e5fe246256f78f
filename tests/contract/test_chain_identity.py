"""A run finds its chain at another URL, and takes no other chain for it."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from tests.contract.served import KEYS, START, Node, http
from transactive.chain.ledgers.notice import NOBODY
from transactive.chain.nodes.client import ChainClient
from transactive.chain.nodes.nodes import EmbeddedNode
from transactive.core.errors import ChainError
from transactive.engine.chain_location import ChainLocation, _recognise
from transactive.store import Store


@pytest.fixture(scope="module")
def settled():
    """A node on whose chain a settlement contract stands, and its address."""
    node = Node(funded=KEYS.addresses(2))
    client = ChainClient(EmbeddedNode(node.provider))
    owner, account = KEYS.role("owner"), KEYS.account(0).address
    currency = client.deploy(owner, "currency", "Euro", "EUR", 10**20)
    clock = (2, 3_600, 24, 3_600, 97_200, 7 * 86_400)
    settlement = client.deploy(owner, "settlement", currency.address, *clock, 0, account, 1, NOBODY)
    client.block(START)
    return node, settlement.address


def recognised(store, url):
    with closing(ChainClient.open(url)) as client:
        _recognise(ChainLocation(url), client, store)


def said_of(store: Store) -> dict[str, str]:
    found: dict[str, str] = json.loads(store.setting("run") or "{}")
    return found


def known_at(store: Store) -> str:
    return said_of(store)["node"]


def test_the_same_chain_is_taken_at_another_url_and_that_is_said_once(settled, tmp_path, capsys):
    node, address = settled
    with http(node) as one, http(node) as two, closing(Store(tmp_path)) as store:
        store.set(run=json.dumps({"node": one, "seed": "s"}), settlement=address)
        recognised(store, one)
        assert capsys.readouterr().err == ""
        recognised(store, two)
        assert f"{two} is on the same chain as {one}" in capsys.readouterr().err
        assert said_of(store) == {"node": two, "seed": "s"}
        recognised(store, two)
        assert capsys.readouterr().err == ""


def test_another_chain_with_the_same_number_is_refused_and_nothing_is_noted(settled, tmp_path):
    node, address = settled
    with http(node) as one, http(Node(funded=KEYS.addresses(3))) as other, closing(Store(tmp_path)) as store:
        store.set(run=json.dumps({"node": one}), settlement=address)
        recognised(store, one)
        with pytest.raises(ChainError, match=f"{other} is on another chain than {one}, where this run settled"):
            recognised(store, other)
        assert known_at(store) == one


def test_a_state_of_before_chains_were_noted_is_known_by_its_contract(settled, tmp_path):
    node, address = settled
    with http(node) as one, http(Node()) as other, closing(Store(tmp_path)) as store:
        store.set(run=json.dumps({"node": "http://gone:8545"}), settlement=address)
        with pytest.raises(ChainError, match="on another chain than http://gone:8545"):
            recognised(store, other)
        recognised(store, one)
        assert known_at(store) == one
