"""Flows of a network with rings by the direct-current approximation, and the same in whole Wh.

Energy divides over parallel ways by their reactance: with an angle at each node, a line from i to j carries
(angle_i − angle_j) / reactance, and what enters a node leaves it (B. Stott, J. Jardim and O. Alsaç, "DC Power Flow
Revisited", IEEE Transactions on Power Systems 24, 2009). A line with no limit above 0 is open and carries nothing.

Whole Wh: the flows are brought to whole µWh, in which every node balances exactly, then to whole Wh. Lines with a part
of a Wh lie on rings, as nodes take whole Wh; around a ring all flows are moved until one of them is whole. So each line
ends at the whole Wh below or above its flow, and every node still balances.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transactive.core.community.network import Network
from transactive.core.units import PPM, BoolArray, IntArray

Floats = NDArray[np.float64]
MICRO = 1_000_000
"""µWh in one Wh."""
NOISE = 50
"""What calculating in floats may be off [µWh]; a flow so near to whole Wh is taken for whole."""


class PowerFlow:
    """The flows of one network; prepared once, as it inverts a matrix of nodes x nodes."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.closed = (network.limit_wh > 0) | (network.back_wh > 0)
        relative = network.reactance / float(network.reactance.max())
        self.susceptance: Floats = np.asarray(self.closed / relative, np.float64)
        self.incidence: Floats = np.zeros((len(network.start), len(network)))
        rows = np.arange(len(network.start))
        self.incidence[rows, network.start] = 1.0
        self.incidence[rows, network.end] -= 1.0
        self.islands = _islands(network, self.closed)
        self.references = np.flatnonzero(self.islands == np.arange(len(network)))
        self.ways = self._ways()
        laplacian = self.incidence.T @ (self.susceptance[:, None] * self.incidence)
        laplacian[self.references, self.references] += 1.0  # their angle is 0, as the nets of an island sum to 0
        self.inverse: Floats = np.linalg.inv(laplacian).astype(np.float64)

    def micro(self, net_wh: IntArray) -> IntArray:
        """Flows [µWh], (lines,), that bring every node its net import [Wh], (nodes,), which sum to 0 on each island."""
        angle = self.inverse @ -net_wh.astype(np.float64)
        flow = np.rint(self.susceptance * (self.incidence @ angle) * MICRO).astype(np.int64)
        whole = (flow + MICRO // 2) // MICRO * MICRO
        flow = np.where(np.abs(flow - whole) <= NOISE, whole, flow)
        return self._balanced(flow, net_wh)

    def outward_wh(self, net_wh: IntArray) -> IntArray:
        """Flows [Wh], (…, lines), rounded away from zero, for net imports (…, nodes); each island's reference balances.

        Unlike `micro` this is for many nets at once: a flow within `NOISE` of whole Wh is taken for whole.
        """
        flow = net_wh @ self._grows().T
        size = np.ceil(np.abs(flow) - NOISE / MICRO)
        return np.copysign(np.maximum(size, 0.0), flow).astype(np.int64)

    def sensitivity_ppm(self) -> IntArray:
        """By how much a line's flow grows with a Wh more that a node takes from its reference [ppm], (lines, nodes)."""
        return np.rint(self._grows() * PPM).astype(np.int64)

    def _grows(self) -> Floats:
        """Flow of each line for a Wh that a node takes from the reference of its island, (lines, nodes)."""
        takes = np.eye(len(self.network))
        takes[self.islands, np.arange(len(self.network))] -= 1.0
        grows: Floats = self.susceptance[:, None] * (self.incidence @ (self.inverse @ -takes))
        return grows

    def _balanced(self, flow: IntArray, net_wh: IntArray) -> IntArray:
        """The flows [µWh] with what they lack at the nodes moved along the ways to the references."""
        missing = net_wh * MICRO - self.network.net_wh(flow)
        flow = flow.copy()
        for node, line, towards in reversed(self.ways):
            flow[line] += missing[node] if towards else -missing[node]
            above = self.network.start[line] if towards else self.network.end[line]
            missing[above] += missing[node]
        return flow

    def _ways(self) -> list[tuple[int, int, bool]]:
        """Node, its line towards the reference, and whether that line ends at the node; nearer nodes first."""
        beside = neighbours(self.network, np.flatnonzero(self.closed))
        queue, ways = self.references.tolist(), []
        reached = set(queue)
        for node in queue:  # grows while it is walked
            for line, other in beside[node].items():
                if other not in reached:
                    reached.add(other)
                    queue.append(other)
                    ways.append((other, line, bool(self.network.end[line] == other)))
        return ways


def _islands(network: Network, closed: BoolArray) -> IntArray:
    """First node of the island of closed lines in which each node is, (nodes,)."""
    first = np.arange(len(network))
    ends = [side[closed] for side in (network.start, network.end)]
    while True:
        lower = np.minimum(*(first[side] for side in ends))
        before = first.copy()
        for side in ends:
            np.minimum.at(first, side, lower)
        if (first == before).all():
            return first


def neighbours(network: Network, lines: IntArray) -> list[dict[int, int]]:
    """Of each node, the lines among `lines` that touch it, and the nodes at their other ends."""
    beside: list[dict[int, int]] = [{} for _ in range(len(network))]
    ends = (network.start[lines].tolist(), network.end[lines].tolist())
    for line, start, end in zip(lines.tolist(), *ends, strict=True):
        beside[start][line] = end
        beside[end][line] = start
    return beside


def whole_flows(network: Network, micro: IntArray) -> IntArray:
    """Flows in whole Wh beside those in µWh, (lines,), that bring every node the same."""
    flow, start, end = micro.tolist(), network.start.tolist(), network.end.tolist()
    broken = np.flatnonzero(micro % MICRO)
    beside = neighbours(network, broken)
    for first in broken.tolist():
        while flow[first] % MICRO:
            ring = [(line, start[line] == node) for node, line in _ring(beside, start[first])]
            moved = min(-flow[line] % MICRO if along else flow[line] % MICRO for line, along in ring)
            for line, along in ring:
                flow[line] += moved if along else -moved
                if not flow[line] % MICRO:
                    del beside[start[line]][line], beside[end[line]][line]
    return np.array(flow, np.int64) // MICRO


def _ring(beside: list[dict[int, int]], node: int) -> list[tuple[int, int]]:
    """A ring that is reached from a node, where every node has none or several lines: nodes, and the line from each."""
    came = -1
    path: list[tuple[int, int]] = []
    passed: dict[int, int] = {}
    while node not in passed:
        passed[node] = len(path)
        came, other = next(pair for pair in beside[node].items() if pair[0] != came)
        path.append((node, came))
        node = other
    return path[passed[node] :]
