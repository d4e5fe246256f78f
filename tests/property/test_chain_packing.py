"""Words of the settlement contract: nothing is lost, nothing spills into a neighbour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.chain.packing import (
    BIAS,
    LANES,
    MAX_BALANCE,
    decode_balances,
    decode_nets,
    encode_balances,
    encode_nets,
    words_for,
)
from transactive.core.errors import ContractRevert
from transactive.core.proofs.leaves import MONEY
from transactive.core.proofs.merkle import Tree, climb, depth_for, leaf_hash


@given(st.lists(st.integers(-BIAS, BIAS - 1), max_size=20))
def test_nets_round_trip(nets):
    words = encode_nets(nets)
    assert len(words) == words_for(len(nets))
    assert decode_nets(words) == nets + [0] * (-len(nets) % LANES)
    assert all(0 <= word < 2**256 for word in words)


@given(st.lists(st.integers(0, MAX_BALANCE), max_size=20))
def test_balances_round_trip(balances):
    assert decode_balances(encode_balances(balances)) == balances + [0] * (-len(balances) % LANES)


@given(st.lists(st.tuples(st.integers(0, MAX_BALANCE), st.integers(-BIAS, BIAS - 1)), min_size=1, max_size=8))
def test_one_addition_checks_all_lanes(pairs):
    """old + net + bias has bit 63 set and bit 62 clear in a lane exactly where 0 <= new < 2**62."""
    old = encode_balances([balance for balance, _ in pairs])
    nets = encode_nets([net for _, net in pairs])
    ones = 1 + 2**64 + 2**128 + 2**192
    for j, (stored, word) in enumerate(zip(old, nets, strict=True)):
        total = stored + word + ones * BIAS
        lanes = pairs[LANES * j : LANES * (j + 1)]
        fits = all(0 <= balance + net <= MAX_BALANCE for balance, net in lanes)
        assert (total & (ones * (2**63 | 2**62)) == ones * 2**63) == fits


@pytest.mark.parametrize("nets", [[BIAS], [0, -BIAS - 1], [0, 0, 0, 0, 2**70]])
def test_amounts_that_do_not_fit(nets):
    with pytest.raises(ValueError, match=f"account {len(nets) - 1} does not fit"):
        encode_nets(nets)


def test_balances_that_do_not_fit():
    for bad in (-1, MAX_BALANCE + 1):
        with pytest.raises(ValueError, match="account 0 does not fit"):
            encode_balances([bad])


@given(st.integers(0, 3))
def test_a_set_top_bit_is_a_bad_lane(lane):
    with pytest.raises(ContractRevert, match="settlement: bad lane"):
        decode_nets([1 << (64 * lane + 63)])


sums = st.lists(st.integers(0, 2**50), min_size=4, max_size=4).map(MONEY.pack)


@given(st.lists(sums, min_size=1, max_size=20), st.data())
def test_every_leaf_has_a_proof_and_tampering_shows(words, data):
    slot = data.draw(st.integers(0, 10**6))
    tree = Tree.of_slot(slot, words)
    index = data.draw(st.integers(0, len(words) - 1))
    leaf, proof = (leaf_hash(slot, index, words[index]), words[index]), tree.proof(index)
    assert len(proof) == depth_for(len(words))
    assert climb(leaf, index, proof, MONEY) == (tree.root, tree.totals, True)
    level = data.draw(st.integers(0, tree.depth - 1))
    part = data.draw(st.integers(0, 2))
    bit = data.draw(st.integers(0, 255))
    step = list(proof[level])
    step[part] = (
        (int.from_bytes(step[0], "big") ^ (1 << bit)).to_bytes(32, "big") if part == 0 else step[part] ^ (1 << bit)
    )
    root, _, _ = climb(leaf, index, [*proof[:level], tuple(step), *proof[level + 1 :]], MONEY)
    assert root != tree.root
