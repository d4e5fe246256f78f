"""Trees of groups and of the whole: zero-sum together, and no difference between them goes unseen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transactive.core.accounts import MOST_MEMBERS, NAMED, groups_of
from transactive.core.proofs.groups import agrees, leaves_of_group, leaves_of_whole, net_n
from transactive.core.proofs.leaves import MONEY, SlotLeaves, climb
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts

SECRET = b"tests"


@st.composite
def communities(draw) -> tuple[SlotLeaves, tuple[range, ...]]:
    """Leaves of a period's last slot in which whoever pays pays somebody, and groups of its members."""
    members = draw(st.integers(1, 12))
    accounts = members + len(NAMED)
    money, energy = np.zeros((accounts, 4), np.int64), np.zeros((accounts, 4), np.int64)
    who, amounts = st.integers(0, accounts - 1), st.integers(0, 2**40)
    for payer, payee, amount, wh in draw(st.lists(st.tuples(who, who, amounts, amounts), max_size=8)):
        money[payer] += (amount, 0, wh, 0)
        money[payee] += (0, amount, 0, wh)
        energy[payer, 0] += wh
        energy[payee, 1:4] += wh
    nothing = [ZERO] * accounts
    return SlotLeaves(99, money, energy, money, energy, nothing, nothing), groups_of(members, draw(st.integers(1, 12)))


def trees(leaves: SlotLeaves, groups: tuple[range, ...]) -> tuple[list[SlotTree], SlotTree]:
    own = [SlotTree(leaves_of_group(leaves, of), depth_for_accounts(len(of) + 1), SECRET) for of in groups]
    made = leaves_of_whole(leaves, groups, [tree.root for tree in own])
    return own, SlotTree(made, depth_for_accounts(len(made)), SECRET)


@given(st.integers(1, 20_000), st.integers(1, MOST_MEMBERS))
def test_groups_hold_each_member_once_and_are_as_equal_as_can_be(members, most):
    groups = groups_of(members, most)
    sizes = [len(of) for of in groups]
    assert [groups[0].start, *(of.stop for of in groups)] == [*(of.start for of in groups), members]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1
    assert len(groups) == -(-members // most)


@pytest.mark.parametrize("most", [0, MOST_MEMBERS + 1])
def test_a_group_beyond_a_tree_is_refused(most):
    with pytest.raises(ValueError, match="4094 members"):
        groups_of(5, most)


@given(communities())
def test_every_tree_is_zero_sum_and_so_is_all_of_it(case):
    leaves, groups = case
    own, whole = trees(leaves, groups)
    for tree in (*own, whole):
        totals = MONEY.unpack(tree.money)
        assert totals["debit_n"] == totals["credit_n"]
    first = len(NAMED)
    for number, (tree, members) in enumerate(zip(own, groups, strict=True)):
        link, there = tree.leaf(len(members)), whole.leaf(first + number)
        nets = [net_n(tree.leaf(place)) for place in range(len(members))]
        assert sum(nets) == net_n(there) == -net_n(link)
        assert agrees(there, link, tree.money, tree.energy)
        assert climb(there, first + number, whole.proof(first + number))[3]
    assert sum(net_n(whole.leaf(place)) for place in range(first + len(groups))) == 0


@given(communities(), st.data())
def test_no_other_sum_agrees(case, data):
    leaves, groups = case
    own, whole = trees(leaves, groups)
    number = data.draw(st.integers(0, len(groups) - 1))
    tree, there = own[number], whole.leaf(len(NAMED) + number)
    link = tree.leaf(len(groups[number]))
    lane = 2 ** (64 * data.draw(st.integers(0, 3)) + data.draw(st.integers(0, 62)))
    what = data.draw(st.sampled_from(["money", "energy"]))
    assert not agrees(replace(there, **{what: getattr(there, what) ^ lane}), link, tree.money, tree.energy)
    assert not agrees(there, replace(link, **{what: getattr(link, what) ^ lane}), tree.money, tree.energy)
    totals = {"money": tree.money, "energy": tree.energy}
    assert not agrees(there, link, *(totals | {what: totals[what] ^ lane}).values())


def test_a_group_without_a_commitment_owes_nothing():
    nothing, none = np.zeros((8, 4), np.int64), [ZERO] * 8
    leaves, groups = SlotLeaves(9, nothing, nothing, nothing, nothing, none, none), (range(3),)
    made = leaves_of_whole(leaves, groups, [ZERO])
    leaf = SlotTree(made, 4, SECRET).leaf(len(NAMED))
    assert agrees(leaf, None, 5, 5)
    assert agrees(None, None, 5, 5)
    assert not agrees(replace(leaf, money=1), None, 5, 5)
