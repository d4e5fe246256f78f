"""Flows of a network with rings by the direct-current approximation, and the same in whole Wh.

Energy divides over parallel ways by their reactance: with an angle at each node, a line from i to j carries
(angle_i − angle_j) / reactance, and what enters a node leaves it (B. Stott, J. Jardim and O. Alsaç, "DC Power Flow
Revisited", IEEE Transactions on Power Systems 24, 2009). A line with no limit above 0 is open and carries nothing.

Every flow is a sum of whole numbers: by how much a line's flow grows with a Wh at a node is found with floats, then
corrected in whole numbers of any length until nothing is left to correct, and rounded far above what that leaves. So
flows do not depend on the processor, nor on the order in which a library adds.

Whole Wh: the flows are brought to whole µWh, in which every node balances exactly, then to whole Wh. Lines with a part
of a Wh lie on rings, as nodes take whole Wh; around a ring all flows are moved until one of them is whole. So each line
ends at the whole Wh below or above its flow, and every node still balances.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from transactive.core.community.network import Network
from transactive.core.errors import RuleBroken
from transactive.core.units import PPM, BoolArray, IntArray

Floats = NDArray[np.float64]
MICRO = 1_000_000
"""µWh in one Wh."""
NOISE = 50
"""What rounding may be off [µWh]; a flow so near to whole Wh is taken for whole."""
SHARE, HALF = 48, 24
"""Bits of the parts in which a share of a flow is counted, and of the lower half of such a number."""
EXACT = 160
"""Bits of the parts in which angles are found."""
SETTLED = 120
"""A correction below 2**-SETTLED is the last one; with a billion between reactances flows are then off by 2**-90."""
NEAR_HALF = 70
"""A share that lies below a half by less than 2**-NEAR_HALF is a half, and rounded up."""
MOST_CORRECTIONS = 60
MOST_WH = 1 << 38
"""What all nodes take and give together stays below it [Wh], or sums would leave 64 bits."""


class PowerFlow:
    """The flows of one network; prepared once, as it inverts a matrix of nodes x nodes.

    susceptance: of each line, the least one being 1. share: by how much a line's flow grows with a Wh that a node takes
    from the reference of its island [2**-SHARE], (lines, nodes).
    """

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
        self.share = self._share(np.linalg.inv(laplacian).astype(np.float64))

    def micro(self, net_wh: IntArray) -> IntArray:
        """Flows [µWh], (lines,), that bring every node its net import [Wh], (nodes,), which sum to 0 on each island."""
        flow = self._micro(net_wh)
        whole = (flow + MICRO // 2) // MICRO * MICRO
        flow = np.where(np.abs(flow - whole) <= NOISE, whole, flow)
        return self._balanced(flow, net_wh)

    def outward_wh(self, net_wh: IntArray) -> IntArray:
        """Flows [Wh], (…, lines), rounded away from zero, for net imports (…, nodes); each island's reference balances.

        Unlike `micro` this is for many nets at once: a flow within `NOISE` of whole Wh is taken for whole.
        """
        flow = self._micro(net_wh)
        outward: IntArray = np.sign(flow) * -((NOISE - np.abs(flow)) // MICRO)
        return outward

    def sensitivity_ppm(self) -> IntArray:
        """By how much a line's flow grows with a Wh more that a node takes from its reference [ppm], (lines, nodes)."""
        return np.asarray((self.share.astype(object) * PPM + (1 << (SHARE - 1))) >> SHARE, np.int64)

    def _micro(self, net_wh: IntArray) -> IntArray:
        """Flows to the nearest µWh, (…, lines), for net imports (…, nodes); each island's reference balances."""
        upper, lower = self.share >> HALF, self.share & ((1 << HALF) - 1)
        if int(np.abs(net_wh).sum(axis=-1).max(initial=0)) >= MOST_WH:
            net_wh = net_wh.astype(object)
        high, low = net_wh @ upper.T, net_wh @ lower.T  # flow = high / 2**HALF + low / 2**SHARE
        rest = ((high & ((1 << HALF) - 1)) << HALF) + low
        whole, part = (high >> HALF) + (rest >> SHARE), rest & ((1 << SHARE) - 1)
        fine = SHARE - 10  # ten bits less, as a million takes twenty
        micro = whole * MICRO + (((part >> 10) * MICRO + (1 << (fine - 1))) >> fine)
        return np.asarray(micro, np.int64)

    def _share(self, inverse: Floats) -> IntArray:
        """Shares of flows [2**-SHARE], (lines, nodes), from a first guess of the inverse; iterative refinement.

        What a guess of the angles leaves at the nodes is known exactly, in whole numbers; the inverse says what to add
        for it. Source: J. H. Wilkinson, Rounding Errors in Algebraic Processes, 1963.
        """
        network, nodes = self.network, np.arange(len(self.network))
        gives = np.zeros((len(network), len(network)), object)
        gives[nodes, nodes] -= 1 << EXACT
        gives[self.islands, nodes] += 1 << EXACT
        largest = int(network.reactance.max())
        weight = np.array([(largest << EXACT) // x for x in network.reactance.tolist()], object) * self.closed
        angle = np.zeros_like(gives)
        for _ in range(MOST_CORRECTIONS):
            flow = weight[:, None] * (angle[network.start] - angle[network.end])  # [2 ** (-2 * EXACT)]
            left = gives << EXACT
            np.subtract.at(left, network.start, flow)
            np.add.at(left, network.end, flow)
            left[self.references] -= angle[self.references] << EXACT
            more = inverse @ (left >> EXACT).astype(np.float64)
            angle = angle + np.array([[int(x) for x in row] for row in more.tolist()], object).reshape(angle.shape)
            if np.abs(more).max() < 2.0 ** (EXACT - SETTLED):
                bits = 2 * EXACT - SHARE
                half = (1 << (bits - 1)) + (1 << (2 * EXACT - NEAR_HALF))
                return np.asarray(
                    (weight[:, None] * (angle[network.start] - angle[network.end]) + half) >> bits, np.int64
                )
        raise RuleBroken("the flows of a network settle; its reactances are too far apart")

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
