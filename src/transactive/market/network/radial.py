"""Prices by location on a radial network, without a solver and in whole Wh.

A line carries at most its limit, so what a branch shows to its parent is its own net demand, cut there:

    up     curve of a branch = own curve + the curves of the branches below it, each as seen through its line
    root   the price at which the whole network wants nothing
    down   a branch takes its parent's price, or the nearest one at which it wants what its full line carries

That is the optimum of the network's linear program, with the largest volume among equals. Where no line is full or
loses energy, the price is that of `uniform`. Lines that lose energy (see `losses`) keep it within what is rounded: 1 Wh
a line and 1 µ¤/kWh for what it carries, at prices not below zero.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from transactive.core.community.network import Network
from transactive.core.tariff import PriceGrid
from transactive.core.units import PPM, IntArray
from transactive.market.network.curves import NetDemandCurve, merged
from transactive.market.network.losses import arriving, needed, position_in, position_out


@dataclass(frozen=True)
class RadialTree:
    """A radial network as plain numbers, one entry a node: of the line above it."""

    network: Network

    @cached_property
    def parent(self) -> list[int]:
        """Node above each node, −1 at the root."""
        return [-1, *self.network.start.tolist()]

    @cached_property
    def limits(self) -> list[tuple[int, int]]:
        """Most Wh that enter the line towards the node, and away from it."""
        return [(0, 0), *zip(self.network.limit_wh.tolist(), self.network.back_wh.tolist(), strict=True)]

    @cached_property
    def keep(self) -> list[int]:
        """Millionths of what enters the line that arrive."""
        return [PPM, *(PPM - self.network.loss_ppm).tolist()]

    @cached_property
    def children(self) -> list[list[int]]:
        """Nodes below each node."""
        below: list[list[int]] = [[] for _ in self.parent]
        for number, parent in enumerate(self.parent[1:], 1):
            below[parent].append(number)
        return below


def clear_radial(
    own: Sequence[NetDemandCurve], network: Network, grid: PriceGrid, wish: int | None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Clear nodes with their `own` curves: position, net import [Wh] and price of each node, flow [Wh] of each line.

    Positions are 2 x tick, or 2 x price where lines lose energy, and one more for a buy; `wish`: what the root prefers.
    """
    tree = RadialTree(network)
    ends = (2 * grid.floor, 2 * grid.cap + 1) if network.lossy else (0, 2 * grid.size - 1)
    branches, seen = merge_up(own, tree, sum(int(curve.fallen[-1]) for curve in own if len(curve.fallen)))
    place, net, flow = walk_down(own, branches, seen, tree, wish, ends)
    price = place // 2 if network.lossy else grid.floor + grid.tick * (place // 2)
    return place, net, price, flow


def merge_up(
    own: Sequence[NetDemandCurve], tree: RadialTree, most_wh: int
) -> tuple[list[NetDemandCurve], list[NetDemandCurve]]:
    """Curve of each branch, and the same as its parent sees it; most_wh: energy of all orders, beyond any flow."""
    parts = [[curve] for curve in own]
    branches, seen = list(own), list(own)
    for number in range(len(own) - 1, -1, -1):
        if len(parts[number]) > 1:
            branches[number] = merged(parts[number])
        if number:
            most, most_back = (min(limit, most_wh) for limit in tree.limits[number])
            keep = tree.keep[number]
            branch = branches[number]
            view = branch.clipped(most, most_back) if keep == PPM else branch.through(most, most_back, keep)
            seen[number] = view
            parts[tree.parent[number]].append(view)
    return branches, seen


def walk_down(
    own: Sequence[NetDemandCurve],
    branches: list[NetDemandCurve],
    seen: list[NetDemandCurve],
    tree: RadialTree,
    wish: int | None,
    ends: tuple[int, int],
) -> tuple[IntArray, IntArray, IntArray]:
    """Position of the price and net import [Wh] of each node, and what enters each line [Wh], below 0 at its far end.

    wish: position that the root prefers. ends: first and last position of all.
    """
    place, net, into = ([0] * len(own) for _ in range(3))
    wanted, flow = [wish] * len(own), [0] * len(own)
    for number, below in enumerate(tree.children):
        first, past = branches[number].interval(into[number], *ends)
        asked = wanted[number]
        here = place[number] = min(max((first + past) // 2 if asked is None else asked, first), past)
        curves = [own[number], *(seen[child] for child in below)]
        net[number], *shares = between(
            [part.after(here + 1) for part in curves], [part.after(here) for part in curves], into[number]
        )
        for child, share in zip(below, shares, strict=True):
            least = min(-branches[child].after(position_out(here, tree.keep[child])), tree.limits[child][1])
            wanted[child], flow[child], into[child] = _through_line(share, here, tree.keep[child], least)
    return np.array(place, np.int64), np.array(net, np.int64), np.array(flow[1:], np.int64)


def _through_line(share: int, here: int, keep: int, least: int) -> tuple[int, int, int]:
    """Position that a branch prefers, what enters its line and what that means for the branch [Wh].

    share: what the parent gives it, below 0 what it gets, at the parent's position `here`. least: what a giving branch
    has to give at that position; where several whole numbers arrive as one, it gives that.
    """
    if share > 0:
        return position_in(here, keep), share, int(arriving(np.array(share), keep))
    if share < 0:
        sent = max(int(needed(np.array(-share), keep)), least)
        return position_out(here, keep), -sent, -sent
    return here, 0, 0


def between(low: list[int], high: list[int], total: int) -> list[int]:
    """Whole numbers from `low` to `high` that sum to `total`, in proportion to their ranges."""
    width, need = sum(high) - sum(low), total - sum(low)
    parts, before, given = [], 0, 0
    for least, most in zip(low, high, strict=True):
        before += most - least
        now = before * need // width if width else 0
        parts.append(least + now - given)
        given = now
    return parts
