"""Trees that nest: leaves of a community with more accounts than a tree has room for, group by group.

Each group of members has a tree of its own, in which one more account, its link, stands for all others: what members
are credited it is debited, and the other way round. The tree of the whole has the named accounts and a leaf for each
group, with the sums of its members and, in the place of trades, the head of the hash chain over all that the group
committed in the period. So each tree is zero-sum by itself, and all of them are together.
`chain/contracts/group_disputes.vy` judges the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from transactive.core.proofs.leaves import BLINDING, MONEY, Leaf, SlotLeaves
from transactive.core.proofs.merkle import ZERO
from transactive.core.units import IntArray

DEBIT, CREDIT = 0, 1
LANE = 2**64 - 1


def leaves_of_group(leaves: SlotLeaves, members: range) -> SlotLeaves:
    """Leaves of a group's own tree in a slot: its members, and last its link, whose money mirrors theirs."""
    own = slice(members.start, members.stop)
    money, slot_money = (_with_mirror(table[own]) for table in (leaves.money, leaves.slot_money))
    energy, slot_energy = (np.pad(table[own], ((0, 1), (0, 0))) for table in (leaves.energy, leaves.slot_energy))
    fills, orders = ([*given[own], ZERO] for given in (leaves.fills, leaves.orders))
    marks = np.append(leaves.marks[own], 0) if len(leaves.marks) else leaves.marks
    sums = (money, energy, slot_money, slot_energy)
    return SlotLeaves(leaves.slot, *sums, fills, orders, marks, leaves.substituted[own])


def carbon_of_group(leaves: SlotLeaves, members: range) -> SlotLeaves:
    """Leaves of carbon of a group in a slot: its members, and a link that states nothing, as no certificate leaves."""
    own = slice(members.start, members.stop)
    names = ("money", "energy", "slot_money", "slot_energy")
    money, energy, slot_money, slot_energy = (np.pad(getattr(leaves, name)[own], ((0, 1), (0, 0))) for name in names)
    fills, orders = ([*given[own], ZERO] for given in (leaves.fills, leaves.orders))
    marks = np.append(leaves.marks[own], 0) if len(leaves.marks) else leaves.marks
    return SlotLeaves(leaves.slot, money, energy, slot_money, slot_energy, fills, orders, marks)


def leaves_of_whole(leaves: SlotLeaves, groups: Sequence[range], heads: Sequence[bytes]) -> SlotLeaves:
    """Leaves of the tree of the whole for a period, from those of its last slot: named accounts, then a leaf a group.

    heads: of each group's hash chain over the period.
    """
    named = groups[-1].stop
    money, energy = (
        np.concatenate((table[named:], [table[of.start : of.stop].sum(axis=0) for of in groups]))
        for table in (leaves.money, leaves.energy)
    )
    blank = [ZERO] * (len(leaves) - named)
    fills, orders = [*blank, *heads], [*blank, *[ZERO] * len(groups)]
    sums = (money, energy, money, energy)
    return SlotLeaves(leaves.slot, *sums, fills, orders, substituted=leaves.substituted)


def agrees(leaf: Leaf | None, link: Leaf | None, money: int, energy: int) -> bool:
    """Whether a group's leaf in the whole has the sums of the group's last commitment of the period.

    leaf: None for an empty place. link: the link's leaf in the group. money, energy: root sums of the group's tree.
    """
    if leaf is None or leaf.fills == ZERO:
        return leaf is None or leaf.money | leaf.energy == 0
    mirrored, own_energy = (link.money, link.energy) if link else (0, 0)
    exchanged = (leaf.money & LANE) << 64 | (leaf.money >> 64) & LANE
    sums = (leaf.money + mirrored + BLINDING) % 2**256, (leaf.energy + BLINDING) % 2**256
    return sums == (money, energy) and mirrored == exchanged and own_energy == 0


def net_n(leaf: Leaf) -> int:
    """What a leaf of a period's last slot says that its account receives, less what it pays [n¤]."""
    totals = MONEY.unpack(leaf.money)
    return totals["credit_n"] - totals["debit_n"]


def _with_mirror(money: IntArray) -> IntArray:
    """Money of members, and below it the link's: debit and credit exchanged, no trades."""
    mirror = np.zeros((1, money.shape[1]), np.int64)
    mirror[0, DEBIT], mirror[0, CREDIT] = money[:, CREDIT].sum(), money[:, DEBIT].sum()
    return np.concatenate((money, mirror))
