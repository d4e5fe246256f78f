"""What flows over the lines of a network when its members take and give what their meters say.

The grid gives what is missing at the first node and takes what is left over there; of an island behind open lines, at
the island's first node. Without rings the flows follow from the nodes alone, losses included, in whole Wh: a line's far
side needs d Wh, so that the least x enters of which d arrive. With rings they divide as `power_flow` says. No Wh runs
in a circle.
"""

from __future__ import annotations

import numpy as np

from transactive.core.network import Network
from transactive.core.units import PPM, IntArray
from transactive.market.power_flow import PowerFlow, whole_flows


class MeteredFlow:
    """Flows of one network; prepared once."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self._power = None if network.radial else PowerFlow(network)

    def flows(self, net_wh: IntArray) -> IntArray:
        """Flows [Wh], (lines,), positive from start to end, for what each node takes − gives [Wh], (nodes,)."""
        return _in_a_tree(self.network, net_wh) if self._power is None else _with_rings(self._power, net_wh)


def _in_a_tree(network: Network, net_wh: IntArray) -> IntArray:
    """Flows of a tree: line k serves node k + 1 and all behind it, so that the last lines come first."""
    needed, start, loss = net_wh.tolist(), network.start.tolist(), network.loss_ppm.tolist()
    flow = [0] * len(start)
    for line in reversed(range(len(flow))):
        wh = needed[line + 1]
        if wh > 0:
            flow[line] = entering(wh, loss[line])
            needed[start[line]] += flow[line]
        else:
            flow[line] = wh
            needed[start[line]] += wh + -wh * loss[line] // PPM
    return np.array(flow, np.int64)


def entering(arriving_wh: int, loss_ppm: int) -> int:
    """Least Wh that must enter a line so that so many arrive, at least one, its loss rounded down."""
    return (arriving_wh - 1) * PPM // (PPM - loss_ppm) + 1


def _with_rings(power: PowerFlow, net_wh: IntArray) -> IntArray:
    """Flows with rings: each island's first node is set to what the others leave, then reactances divide the rest."""
    net = net_wh.copy()
    island = np.zeros_like(net)
    np.add.at(island, power.islands, net)
    net[power.references] -= island[power.references]
    flow = whole_flows(power.network, power.micro(net))
    return _without_circles(power.network, flow)


def _without_circles(network: Network, flow_wh: IntArray) -> IntArray:
    """The flows less what runs in a circle, which rounding can leave where a ring carries next to nothing."""
    flow = flow_wh.copy()
    while circle := _circle(network, flow):
        least = int(np.abs(flow[circle]).min())
        flow[circle] -= np.sign(flow[circle]) * least
    return flow


def _circle(network: Network, flow_wh: IntArray) -> list[int]:
    """Lines of one circle of flows, none if there is no circle."""
    sender, receiver = network.ways(flow_wh)
    lines = np.flatnonzero(flow_wh)
    while not (fed := np.isin(sender[lines], receiver[lines])).all():
        lines = lines[fed]  # what comes from a node that nothing flows into is on no circle
    if not len(lines):
        return []
    into = dict(zip(receiver[lines].tolist(), lines.tolist(), strict=True))
    path: list[int] = []
    passed: dict[int, int] = {}
    node = int(sender[lines[0]])
    while node not in passed:  # upstream, until a node comes again
        passed[node] = len(path)
        path.append(into[node])
        node = int(sender[into[node]])
    return path[passed[node] :]
