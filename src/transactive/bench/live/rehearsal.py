"""A slot of ten communities of ten thousand members on one machine: one price, a tree for each group, one root for all.

Each community is worked on in a process of its own, as by its collector: it tells its curve, is told the price and its
rationed Wh, and settles. Members' leaves lead to the root of their group, groups to the whole of their community, and
the heads of all communities to one root that can be noted on another chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from transactive.bench.markets.clearing import TICKS, random_book
from transactive.bench.measure import BenchTimer
from transactive.bench.registry import bench
from transactive.bench.report import Row
from transactive.bench.runs.simulation import peak_memory
from transactive.chain.commitments import Commitment, head_of
from transactive.core.accounts import NAMED, groups_of
from transactive.core.errors import require
from transactive.core.proofs.anchors import ChainHead, HeadTree, root_of
from transactive.core.proofs.groups import agrees, leaves_of_group, leaves_of_whole
from transactive.core.proofs.leaves import SlotLeaves, climb
from transactive.core.proofs.merkle import ZERO
from transactive.core.proofs.slot_tree import SlotTree, depth_for_accounts
from transactive.core.work import Spread
from transactive.engine.pools import processes
from transactive.market.auction.allocation import allocate
from transactive.market.auction.crossing import Crossing
from transactive.market.auction.shards import Load, meet, plain, shard_histogram
from transactive.market.book import Energies, Keys, pack_keys

COMMUNITIES, MEMBERS, WORKERS = 10, 10_000, 2
SLOT, CHAIN_ID, SECRET, NEIGHBOURS = 1, 31337, b"rehearsal", 2
DEBIT, CREDIT, BOUGHT, SOLD = range(4)
SETTLEMENT = "0x" + "c0" * 20


class SettledCommunity(NamedTuple):
    """What a community traded with all [Wh], how many groups it settled in, and the head over what it committed."""

    bought_wh: int
    sold_wh: int
    groups: int
    head: bytes


@bench("communities", summary="a slot of ten communities of 10,000 members: one price, nested trees, two processes")
def communities(meter: BenchTimer) -> Iterator[Row]:
    """Measure a tenth first, then all; how long, and how much memory in this process and its workers."""
    for members in (MEMBERS // 10, MEMBERS):
        named = f"{COMMUNITIES} communities of {members:,} members"
        with processes(WORKERS) as spread:
            once = partial(meter.time, unit="s", repeats=1, warm_up=1)  # processes are there before
            yield once(f"{named}, {WORKERS} processes", partial(rehearse, COMMUNITIES, members, spread))
        own, largest = peak_memory(), peak_memory(of_children=True)
        if own is not None and largest is not None:
            yield Row(name=f"memory of {named}", value=own + WORKERS * largest, unit="GB")


def rehearse(count: int, members: int, spread: Spread) -> list[SettledCommunity]:
    """Clear and settle a slot of so many communities; raises RuleBroken where a Wh or a community's head is lost."""
    loads = [partial(orders_of, number, members) for number in range(count)]
    crossing, before = meet(list(spread(partial(shard_histogram, TICKS, plain), loads)))
    found = list(spread(partial(settled, crossing), list(zip(loads, before, strict=True))))
    bought, sold = (sum(part[side] for part in found) for side in (0, 1))
    require(bought == sold == crossing.volume > 0, "Wh bought = Wh sold over all communities")
    heads = [ChainHead(CHAIN_ID, SETTLEMENT, SLOT, part.head, part.head).leaf for part in found]
    tree = HeadTree(heads)
    ends = {root_of(head, tree.way(head)) for head in heads}
    require(ends == {tree.root}, "every community's head leads to the one root")
    return found


def orders_of(number: int, members: int) -> tuple[Keys, Energies]:
    """One order of each member of a community, the same at every call."""
    tick, is_buy, energy = random_book(members, seed=number)
    return pack_keys(tick, is_buy, TICKS), energy


def settled(crossing: Crossing, item: tuple[Load, int]) -> SettledCommunity:
    """Settle what a community's members got, and commit it in its groups and its whole; one way is gone up as a check.

    item: its orders, and the rationed Wh before them. Other communities stand behind the third named account: it is
    paid and pays what members owe them and get.
    """
    load, before = item
    keys, energies = load()
    given, members, is_buy = allocate(keys, energies, crossing, before), len(keys), keys >= TICKS
    sums = np.zeros((members + len(NAMED), 4), np.int64)
    traded = given.astype(np.int64)
    sums[:members, BOUGHT], sums[:members, SOLD] = np.where(is_buy, traded, 0), np.where(is_buy, 0, traded)
    sums[:, DEBIT], sums[:, CREDIT] = ((crossing.tick or 0) * sums[:, side] for side in (BOUGHT, SOLD))
    owed = int(sums[:, DEBIT].sum() - sums[:, CREDIT].sum())
    sums[members + NEIGHBOURS, CREDIT if owed > 0 else DEBIT] = abs(owed)
    energy, none = np.zeros_like(sums), [ZERO] * len(sums)
    leaves, groups = SlotLeaves(SLOT, sums, energy, sums, energy, none, none), groups_of(members)
    trees = [
        SlotTree(own, depth_for_accounts(len(own)), SECRET) for own in (leaves_of_group(leaves, g) for g in groups)
    ]
    heads = [head_of([Commitment(SLOT, one.root, ZERO, one.money, one.energy, 0)]) for one in trees]
    whole_leaves = leaves_of_whole(leaves, groups, heads)
    whole = SlotTree(whole_leaves, depth_for_accounts(len(whole_leaves)), SECRET)
    last = len(groups) - 1
    tree, link = trees[last], len(groups[last])
    root, *_, consistent = climb(tree.leaf(0), 0, tree.proof(0))
    joined = agrees(whole.leaf(len(NAMED) + last), tree.leaf(link), tree.money, tree.energy)
    require(consistent and root == tree.root and joined, "a member's leaf leads through its group to the whole")
    head = head_of([Commitment(SLOT, whole.root, ZERO, whole.money, whole.energy, 0)])
    return SettledCommunity(int(sums[:, BOUGHT].sum()), int(sums[:, SOLD].sum()), len(groups), head)
