"""Groups of lines, so that what is shown of lines never tells of fewer than k homes.

Nodes are put into zones that hold no home, or at least k. The zone with the fewest homes joins a neighbour until all
hold enough: this order does not depend on k, so the zones for a larger k are unions of those for a smaller one, and
what was shown with both tells of no fewer homes than the smaller one.

k-anonymity: L. Sweeney, 2002, doi:10.1142/S0218488502001648.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from transactive.core.community.network import Network
from transactive.core.units import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class LineGroups:
    """Groups of a network's lines, counted from 0 by the first node of their zone.

    least: homes that a zone with homes holds at least, unless the network has fewer. zone: of each node, (nodes,).
    homes: of each zone, (zones,). group: zone that a line's far end is in, (lines,). shown: whether a line's own flow
    may be shown, (lines,): it joins two zones of a tree, so it carries what whole zones take. In a ring no flow is.
    """

    network: Network
    least: int
    zone: IntArray
    homes: IntArray
    group: IntArray
    shown: BoolArray

    def summable(self, able: IntArray) -> BoolArray:
        """Lines whose sums over homes with some device may be shown, (lines,): no zone beyond them has too few.

        able: homes with the device at each node, (nodes,).
        """
        count = np.bincount(self.zone, able, len(self.homes))
        few = ((count > 0) & (count < self.least))[self.zone]
        if not self.network.radial:
            return np.zeros(len(self.group), np.bool_)
        for node in range(len(self.network) - 1, 0, -1):  # a parent stands before its children
            few[self.network.start[node - 1]] |= few[node]
        return self.shown & ~few[1:]


def line_groups(network: Network, homes: IntArray, least: int) -> LineGroups:
    """Group the lines of a network. homes: homes at each node, (nodes,); least: k, 1 or more."""
    zone, held = _zones(network, homes, least)
    apart = zone[network.start] != zone[network.end]
    enough = bool((held[held > 0] >= least).all())
    shown = apart & (network.radial and enough)
    return LineGroups(network, least, zone, held, zone[network.end], shown)


def _zones(network: Network, homes: IntArray, least: int) -> tuple[IntArray, IntArray]:
    """Zone of each node, and homes of each zone."""
    beside: dict[int, set[int]] = {node: set() for node in range(len(network))}
    for start, end in zip(network.start.tolist(), network.end.tolist(), strict=True):
        beside[start].add(end)
        beside[end].add(start)
    held = dict(enumerate(homes.tolist()))
    nodes = {node: [node] for node in beside}
    waiting = [(count, node) for node, count in held.items() if count]
    heapq.heapify(waiting)
    while waiting:
        count, node = heapq.heappop(waiting)
        if held.get(node) != count:
            continue  # it has joined another, or grown since
        if count >= least or not beside[node]:
            break
        # towards other homes rather than empty nodes, so that a feeder's first line stays between zones
        other = min(beside[node], key=lambda k: (held[k] == 0, held[k], k))
        into, gone = min(node, other), max(node, other)
        nodes[into] += nodes.pop(gone)
        held[into] += held.pop(gone)
        for near in beside.pop(gone):
            beside[near].discard(gone)
            if near != into:
                beside[near].add(into)
                beside[into].add(near)
        beside[into].discard(gone)
        heapq.heappush(waiting, (held[into], into))
    zone = np.zeros(len(network), np.int64)
    for number, first in enumerate(sorted(nodes)):
        zone[nodes[first]] = number
    return zone, np.array([held[first] for first in sorted(nodes)], np.int64)
