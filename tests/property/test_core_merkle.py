"""Merkle-sum trees: a proof leads to the root, and nothing about it can be changed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import (
    REGISTERS,
    ZERO,
    Lanes,
    Tree,
    climb,
    column_words,
    depth_for,
    leaf_hash,
    parent_hash,
    words,
)

COUNTERS = st.one_of(st.integers(0, 3), st.integers(0, 2**40))
SUMS = st.lists(st.tuples(COUNTERS, COUNTERS, COUNTERS, COUNTERS), min_size=1, max_size=11)


@st.composite
def proven(draw):
    """Rows, their tree, the position of one and its proof."""
    rows = draw(SUMS)
    tree = Tree.of_slot(draw(st.integers(0, 2**40)), [MONEY.pack(row) for row in rows])
    position = draw(st.integers(0, len(rows) - 1))
    return rows, tree, position


@given(proven())
def test_a_proof_leads_to_root_and_totals(case):
    rows, tree, position = case
    root, totals, consistent = climb(tree.node(0, position), position, tree.proof(position), MONEY)
    assert (root, totals, consistent) == (tree.root, tree.totals, True)
    assert MONEY.unpack(totals) == dict(zip(MONEY.names, map(sum, zip(*rows, strict=True)), strict=True))


@given(proven(), st.data())
def test_any_change_of_a_proof_is_seen(case, data):
    _, tree, position = case
    leaf, proof = tree.node(0, position), tree.proof(position)
    level = data.draw(st.integers(0, len(proof) - 1))
    bit = 1 << data.draw(st.integers(0, 255))
    sibling, sibling_sums, own = proof[level]
    what = data.draw(st.sampled_from(("leaf", "leaf sums", "sibling", "sibling sums", "own sums")))
    if what == "leaf":
        leaf = ((int.from_bytes(leaf[0], "big") ^ bit).to_bytes(32, "big"), leaf[1])
    elif what == "leaf sums":
        leaf = (leaf[0], leaf[1] ^ bit)
    elif what == "sibling":
        proof[level] = ((int.from_bytes(sibling, "big") ^ bit).to_bytes(32, "big"), sibling_sums, own)
    elif what == "sibling sums":
        proof[level] = (sibling, sibling_sums ^ bit, own)
    else:
        proof[level] = (sibling, sibling_sums, own ^ bit)
    root, totals, consistent = climb(leaf, position, proof, MONEY)
    assert not (root == tree.root and totals == tree.totals and consistent)


@given(proven(), st.data())
def test_a_leaf_proves_nothing_at_another_position(case, data):
    _, tree, position = case
    other = data.draw(st.integers(0, (1 << tree.depth) - 1).filter(lambda p: p != position))
    leaf = tree.node(0, position)
    root, _, _ = climb(leaf, other, tree.proof(position), MONEY)
    same = tree.node(0, position) == (ZERO, 0) and all(
        tree.node(level, position >> level) == tree.node(level, (position >> level) ^ 1)
        for level in range(tree.depth)
        if (position >> level) & 1 != (other >> level) & 1
    )
    assert (root == tree.root) == same  # only between empty places that look alike


@given(proven(), st.data())
def test_trees_of_other_rows_have_other_roots(case, data):
    rows, _, position = case
    slot = 5
    row = list(rows[position])
    row[data.draw(st.integers(0, 3))] += 1
    words = [MONEY.pack(r) for r in rows]
    changed = [*words[:position], MONEY.pack(row), *words[position + 1 :]]
    assert Tree.of_slot(slot, words).root != Tree.of_slot(slot, changed).root
    if words[position]:
        assert Tree.of_slot(slot, words).root != Tree.of_slot(slot + 1, words).root
        assert Tree.of_slot(slot, words).root != Tree.of_slot(slot, [0, *words]).root


@given(SUMS)
def test_a_tree_is_the_hash_of_its_halves(rows):
    words = [MONEY.pack(row) for row in rows]
    depth = depth_for(len(words))
    leaves = [(leaf_hash(9, i, s), s) for i, s in enumerate(words)]

    def hashed(row, height):
        if height == 0:
            return row[0] if row else (ZERO, 0)
        half = 1 << (height - 1)
        left, right = hashed(row[:half], height - 1), hashed(row[half:], height - 1)
        return parent_hash(*left, *right), left[1] + right[1]

    tree = Tree.of_slot(9, words)
    assert hashed(leaves, depth) == (tree.root, tree.totals)


LAYOUTS = st.sampled_from((MONEY, REGISTERS, Lanes(("a", "b"), 8)))


@given(LAYOUTS, st.data())
def test_counters_survive_their_word_and_leave_the_top_bits_clear(lanes, data):
    top = 2 ** (lanes.bits - 1) - 1
    values = data.draw(st.lists(st.sampled_from((0, 1, top - 1, top)), min_size=5, max_size=5))[: len(lanes.names)]
    packed = lanes.pack(values)
    assert list(lanes.unpack(packed).values()) == values
    assert packed & lanes.top == 0
    assert packed < 1 << 256


@given(LAYOUTS, st.data())
def test_a_counter_beyond_its_lane_is_refused_by_name(lanes, data):
    values = [0] * len(lanes.names)
    k = data.draw(st.integers(0, len(values) - 1))
    values[k] = data.draw(st.sampled_from((-1, 1 << (lanes.bits - 1), 1 << lanes.bits, 1 << 256)))
    with pytest.raises(ValueError, match=f"{lanes.names[k]} does not fit"):
        lanes.pack(values)
    if abs(values[k]) < 2**63:
        with pytest.raises(ValueError, match=f"{lanes.names[k]} does not fit"):
            lanes.pack_rows([np.array([0, value]) for value in values])


@given(LAYOUTS, st.data())
def test_rows_that_are_packed_together_are_those_packed_alone(lanes, data):
    counters = st.integers(0, 2 ** min(lanes.bits - 1, 63) - 1)
    rows = data.draw(st.lists(st.tuples(*[counters] * len(lanes.names)), max_size=20))
    columns = [np.array([row[k] for row in rows], np.int64) for k in range(len(lanes.names))]
    assert lanes.pack_rows(columns) == [lanes.pack(row) for row in rows]


def test_two_full_lanes_do_not_carry_and_three_are_seen():
    lanes = Lanes(("a", "b"), 8)
    full = lanes.pack((127, 127))
    tree = Tree.of_slot(1, [full, full, 0, 0])
    assert lanes.unpack(tree.totals) == {"a": 254, "b": 254}
    overfull = Tree.of_slot(1, [full, full, full, 0])
    assert climb(overfull.node(0, 0), 0, overfull.proof(0), lanes)[2] is False


@given(st.lists(st.integers(-(2**255), 2**256 - 1), max_size=70) | st.lists(st.integers(0, 2**63 - 1), max_size=70))
def test_words_of_many_are_the_words_of_each(values):
    assert words(values) == b"".join((value % 2**256).to_bytes(32, "big") for value in values)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=70))
def test_words_of_a_column_are_the_words_of_each(values):
    assert column_words(np.array(values, np.int64)) == words(values)
