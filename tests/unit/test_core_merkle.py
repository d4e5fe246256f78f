"""Merkle-sum trees: the layout that the contracts share, and its edges."""

from hashlib import sha256

import pytest

from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import REGISTERS, ZERO, Tree, depth_for, leaf_hash, parent_hash


def test_a_leaf_without_sums_is_the_padding_leaf():
    assert leaf_hash(7, 3, 0) == ZERO
    assert leaf_hash(7, 3, 1) != ZERO


def test_leaves_and_parents_are_hashed_with_their_own_first_byte():
    assert leaf_hash(1, 2, 3) == sha256(bytes(1) + b"".join(n.to_bytes(32, "big") for n in (1, 2, 3))).digest()
    words = (ZERO, (5).to_bytes(32, "big"), b"\x07" * 32, (6).to_bytes(32, "big"))
    assert parent_hash(ZERO, 5, b"\x07" * 32, 6) == sha256(b"\x01" + b"".join(words)).digest()


def test_an_odd_number_of_leaves_is_not_the_last_one_twice():  # D12
    words = [MONEY.pack((1, 0, 0, 0)), MONEY.pack((2, 0, 0, 0)), MONEY.pack((3, 0, 0, 0))]
    assert Tree.of_slot(1, words).root != Tree.of_slot(1, [*words, words[-1]]).root
    leaves = [(leaf_hash(1, i, s), s) for i, s in enumerate(words)]
    assert Tree(leaves, 2).root != Tree([*leaves, leaves[-1]], 2).root


@pytest.mark.parametrize(("leaves", "depth"), [(1, 2), (4, 2), (5, 3), (8, 3), (9, 4), (500, 9)])
def test_the_depth_is_the_least_that_holds_the_leaves_and_at_least_two(leaves, depth):
    assert depth_for(leaves) == depth


def test_more_leaves_than_places_are_refused():
    with pytest.raises(ValueError, match="5 leaves do not fit"):
        Tree([(ZERO, 0)] * 5, 2)


def test_the_top_bit_of_each_lane_and_all_above_the_lanes_stay_clear():
    assert MONEY.top == sum(1 << (64 * k + 63) for k in range(4))
    assert REGISTERS.top == sum(1 << (51 * k + 50) for k in range(5)) | (1 << 255)


def test_a_row_of_the_wrong_length_is_refused():
    with pytest.raises(ValueError, match="argument"):
        MONEY.pack((1, 2, 3))
