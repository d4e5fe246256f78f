"""Anchors beside their twin: heads that are noted, others that are not, and what a root does not tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract.world import MEMBERS, STRANGER, new_client, refused
from tests.twins.anchors import AnchorsTwin
from transactive.core.errors import ContractRevert, InputError
from transactive.core.proofs.anchors import ChainHead, HeadTree, root_of
from transactive.core.proofs.keccak import keccak
from transactive.core.proofs.merkle import ZERO

SETTLEMENT = "0x" + "5e" * 20
HEADS = [ChainHead(31_337, SETTLEMENT, 40 + k, keccak(bytes([k])), keccak(b"salt" + bytes([k]))) for k in range(5)]


class Noted:
    """The contract on a chain in memory, and its twin."""

    def __init__(self) -> None:
        self.client, self.twin, self.now = new_client(), AnchorsTwin(), 1_000
        self.c = self.client.deploy(STRANGER, "anchors")
        self.client.block(self.now)
        self.gas = 0

    def anchor(self, key, root: bytes) -> None:
        self.now += 7
        self.client.send(key, self.c, "anchor", root)
        self.gas = self.client.block(self.now).receipts[-1].gas_used
        self.twin.anchor(key.address, root, self.client.height, self.now)

    def seen(self, publisher, head: ChainHead, way: list[bytes]) -> tuple[int, int]:
        """What both say of a head."""
        block, time = self.client.read(self.c, "anchoredIn", publisher.address, head.leaf, way)
        assert (block, time) == self.twin.anchored_in(publisher.address, head.leaf, way)
        return int(block), int(time)


@pytest.fixture(scope="module")
def noted() -> Noted:
    return Noted()


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_every_head_of_a_root_is_anchored_since_its_block(noted, count):
    tree = HeadTree(head.leaf for head in HEADS[:count])
    noted.anchor(STRANGER, tree.root)
    block, time = noted.client.height, noted.now
    for head in HEADS[:count]:
        assert noted.seen(STRANGER, head, tree.way(head.leaf)) == (block, time)
        for other in (
            replace(head, hash=ZERO),
            replace(head, number=9),
            replace(head, chain_id=1),
            replace(head, salt=ZERO),
        ):
            assert noted.seen(STRANGER, other, tree.way(head.leaf)) == (0, 0)
        assert noted.seen(MEMBERS[0], head, tree.way(head.leaf)) == (0, 0)


def test_a_root_is_noted_once_by_each_publisher(noted):
    root = HeadTree([keccak(b"once")]).root
    noted.anchor(STRANGER, root)
    noted.anchor(MEMBERS[0], root)
    with refused("anchors: noted already"):
        noted.anchor(STRANGER, root)
    with pytest.raises(ContractRevert, match="noted already"):
        noted.twin.anchor(STRANGER.address, root, 1, 1)
    with refused("anchors: no root"):
        noted.anchor(STRANGER, ZERO)


def test_a_node_of_the_tree_is_no_leaf(noted):
    """Marks keep leaves and nodes apart: nobody makes a head of an inner node."""
    tree = HeadTree(head.leaf for head in HEADS[:4])
    inner = tree._levels[1][0]
    assert root_of(inner, [tree._levels[1][1]]) == tree.root
    assert all(head.leaf != inner for head in HEADS)


def test_two_heads_of_one_block_show_that_books_were_kept_twice():
    one = HEADS[0]
    assert one.contradicts(replace(one, hash=ZERO, salt=ZERO))
    assert not one.contradicts(replace(one, salt=ZERO))
    assert not one.contradicts(replace(one, number=1, hash=ZERO))


def test_a_root_needs_heads_and_each_once():
    for leaves in ([], [HEADS[0].leaf] * 2):
        with pytest.raises(InputError, match="each of them once"):
            HeadTree(leaves)


@given(st.sets(st.binary(min_size=32, max_size=32), min_size=1, max_size=40))
def test_every_way_leads_to_the_root_and_no_other_leaf_does(leaves):
    tree = HeadTree(leaves)
    for leaf in leaves:
        assert root_of(leaf, tree.way(leaf)) == tree.root
        assert len(tree.way(leaf)) <= (len(leaves) - 1).bit_length()
        assert root_of(keccak(leaf), tree.way(leaf)) != tree.root
